package main

import (
	"strings"

	"assay/fetch/install"
)

// installedWords are the products that are installed, behind their repository where
// one was typed, or where several have one of the name.
func installedWords(h *heldNames, last string) []string {
	s, err := h.session()
	if err != nil || s.config.NeedInstallDirs() != nil {
		return nil
	}
	// It has no cache, as it only looks.
	store := &install.Store{Config: install.Config{Dir: s.config.DataDir, Bin: s.config.BinDir}}
	names, err := installedNames(store)
	if err != nil {
		return nil
	}
	count := map[string]int{}
	for _, name := range names {
		count[name.Product]++
	}
	var words []string
	for _, name := range names {
		if count[name.Product] > 1 || strings.Contains(last, ":") {
			words = append(words, name.String())
			continue
		}
		words = append(words, name.Product)
	}
	return typable(words)
}

// upgradeWords are what is installed, and behind an @ what it may be upgraded to.
func upgradeWords(h *heldNames, last string) []string {
	if strings.Contains(last, "@") {
		return refWords(h, last)
	}
	return installedWords(h, last)
}

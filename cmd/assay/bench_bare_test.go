package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// bareGet is a peer of the benchmark of small files: a program that gets all URLs of
// a list, and keeps each file as assay's cache does, durably under its digest, with
// nothing known beforehand and nothing remembered. What assay takes above it is the
// proof and the memory of it.
func bareGet() {
	if err := getBare(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func getBare(list, out string) error {
	file, err := os.Open(list)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := os.MkdirAll(filepath.Join(out, "staging"), 0o700); err != nil {
		return err
	}
	urls, errs := make(chan string), make(chan error, manyAtOnce)
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: 8, DisableCompression: true}}
	var all sync.WaitGroup
	for range manyAtOnce {
		all.Go(func() {
			var failed error
			for url := range urls {
				failed = errors.Join(failed, keepBare(client, url, out))
			}
			errs <- failed
		})
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		urls <- lines.Text()
	}
	close(urls)
	all.Wait()
	for range manyAtOnce {
		err = errors.Join(err, <-errs)
	}
	return err
}

// keepBare gets one file, and gives it its name when it is on the disk.
func keepBare(client *http.Client, url, out string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	part, folder := filepath.Join(out, "staging", name+".part"), filepath.Join(out, name[:2])
	file, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Chmod(0o444), file.Sync(), file.Close(), os.MkdirAll(folder, 0o700),
		os.Rename(part, filepath.Join(folder, name)), syncBare(folder), syncBare(filepath.Dir(part)))
}

func syncBare(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
)

// publisherMain serves the sample repository at an address, tells the digest of its
// root, and obeys lines of stdin, with which it ends:
//
//	release VERSION BYTES LIFE   publishes hello VERSION, by a timestamp that is good
//	                             for so long; answers VERSION SHA256
func publisherMain() {
	if err := publish(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func publish(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	repo, err := testrepo.Sample(testrepo.Options{})
	if err != nil {
		return err
	}
	go http.Serve(listener, repo.Handler())
	fmt.Println(repo.RootSHA256())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var version, life string
		var size int
		if _, err := fmt.Sscanf(lines.Text(), "release %s %d %s", &version, &size, &life); err != nil {
			return fmt.Errorf("expected release VERSION BYTES LIFE, found %q: %w", lines.Text(), err)
		}
		good, err := time.ParseDuration(life)
		if err != nil {
			return err
		}
		data := make([]byte, size)
		rand.Read(data)
		err = errors.Join(
			repo.AddRelease(testrepo.Release{Product: "hello", Version: version, Channel: "stable", Artifacts: []testrepo.Artifact{
				{OS: "linux", Arch: "amd64", Format: "raw", Data: data},
			}}),
			repo.SetExpiry("timestamp", good),
			repo.Publish(),
		)
		if err != nil {
			return err
		}
		fmt.Println(version, artifact.DigestOf(artifact.SHA256, data).Hex())
	}
	return nil
}

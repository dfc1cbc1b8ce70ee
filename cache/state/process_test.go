package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

const childVariable = "ASSAY_STATE_TEST_CHILD"

// TestMain is also the other process: with the variable set, the test binary
// counts up in the database of the folder that it names.
func TestMain(m *testing.M) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	db, err := Open(dir, Options{LockWait: time.Minute})
	for range 10 {
		err = errors.Join(err, count(db))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func count(db *DB) error {
	return db.Trust("a").Update(context.Background(), func(tx Tx) error {
		value, err := tx.Get("count")
		if err != nil {
			return err
		}
		n := 0
		if value != nil {
			if n, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
		return tx.Put("count", strconv.AppendInt(nil, int64(n)+1, 10))
	})
}

// TestManyWriters counts up from twenty goroutines, each with a DB of its own,
// and from four processes, all starting without a database.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	shared := open(t, dir)
	shared.lockWait = time.Minute
	var all sync.WaitGroup
	failures := make(chan error, 100)
	for i := range 20 {
		all.Go(func() {
			db := shared
			if i%2 == 0 {
				db, _ = Open(dir, Options{LockWait: time.Minute})
			}
			failures <- errors.Join(count(db), count(db))
		})
	}
	for range 4 {
		all.Go(func() {
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), childVariable+"="+dir)
			if output, err := command.CombinedOutput(); err != nil {
				failures <- fmt.Errorf("%w: %s", err, output)
			}
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
	if value := get(t, shared, "a", "count"); value != "80" {
		t.Errorf("expected 80 updates, found %q", value)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("expected state.db alone, found %v", files)
	}
}

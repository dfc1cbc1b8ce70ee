package boltfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// raise raises the number under a key, and returns it.
func raise(s *Session, key string) (n int, err error) {
	err = s.Guard(func() error {
		b, err := s.Tx().CreateBucketIfNotExists(bucketTest)
		if err != nil {
			return err
		}
		n, _ = strconv.Atoi(string(b.Get([]byte(key))))
		n++
		return b.Put([]byte(key), strconv.AppendInt(nil, int64(n), 10))
	})
	return n, err
}

func raised(tx *bbolt.Tx, key string) int {
	n, _ := strconv.Atoi(string(tx.Bucket(bucketTest).Get([]byte(key))))
	return n
}

// TestGroupAnyMix: goroutines that write, read, fail, panic and give up, in any
// order. What was acknowledged is there, what was not is not, each goroutine sees
// what it wrote, and no reader sees half of anything.
func TestGroupAnyMix(t *testing.T) {
	for seed := range uint64(4) {
		path := filepath.Join(t.TempDir(), "db")
		put(t, path, "")
		m := &mix{t: t, group: NewGroup(path, nil)}
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() { m.run(i, rand.New(rand.NewPCG(seed, uint64(i)))) })
		}
		all.Wait()
		s, err := Begin(t.Context(), path, false, soon())
		if err != nil {
			t.Fatal(err)
		}
		if a := raised(s.Tx(), "a"); a != int(m.kept.Load()) || m.kept.Load() == 0 {
			t.Errorf("seed %d: expected the %d updates that were acknowledged, found %d", seed, m.kept.Load(), a)
		}
		s.Close()
	}
}

type mix struct {
	t     *testing.T
	group *Group
	kept  atomic.Int64
}

func (m *mix) run(id int, random *rand.Rand) {
	own := 0
	for range 60 {
		ctx, cancel := context.WithCancel(m.t.Context())
		kind := random.IntN(10)
		after := time.Duration(random.IntN(2000)) * time.Microsecond
		if kind == 8 {
			time.AfterFunc(after, cancel)
		}
		if kind < 2 {
			m.read(ctx, id, own)
		} else if m.write(ctx, id, kind) {
			own++
			m.kept.Add(1)
		}
		cancel()
	}
}

func (m *mix) read(ctx context.Context, id, own int) {
	err := m.group.Do(ctx, false, soon(), func(s *Session) error {
		return s.Guard(func() error {
			a, b, mine := raised(s.Tx(), "a"), raised(s.Tx(), "b"), raised(s.Tx(), fmt.Sprint(id))
			if a != b || mine != own {
				m.t.Errorf("expected a whole update, and %d of this goroutine, found %d, %d and %d", own, a, b, mine)
			}
			return nil
		})
	})
	if err != nil {
		m.t.Error(err)
	}
}

// write reports whether the update was acknowledged.
func (m *mix) write(ctx context.Context, id, kind int) (kept bool) {
	defer func() {
		if value := recover(); value != nil && (kind != 7 || value != any(id)) {
			m.t.Errorf("goroutine %d: found the panic %v in an update of kind %d", id, value, kind)
		}
	}()
	err := m.group.Do(ctx, true, soon(), func(s *Session) error {
		_, err := raise(s, "a")
		switch kind {
		case 6:
			return errors.Join(err, fmt.Errorf("%w: %d", errOwn, id))
		case 7:
			panic(id)
		}
		_, err2 := raise(s, "b")
		_, err3 := raise(s, fmt.Sprint(id))
		return errors.Join(err, err2, err3)
	})
	switch {
	case err == nil && kind != 6 && kind != 7:
		return true
	case kind == 6 && errors.Is(err, errOwn), kind == 8 && errors.Is(err, context.Canceled):
		return false
	}
	m.t.Errorf("goroutine %d: found %v in an update of kind %d", id, err, kind)
	return false
}

const childVariable = "ASSAY_BOLTFILE_TEST_CHILD"

// TestMain is also the other process: with the variable set, the test binary counts
// up in the file that it names, from several goroutines, until its input ends.
func TestMain(m *testing.M) {
	path := os.Getenv(childVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { bufio.NewReader(os.Stdin).ReadByte(); cancel() }()
	group := NewGroup(path, nil)
	failures := make(chan error, 8)
	for range cap(failures) {
		go func() {
			for {
				err := group.Do(ctx, true, time.Now().Add(30*time.Second), func(s *Session) error {
					_, err := raise(s, strconv.Itoa(os.Getpid()))
					return err
				})
				if err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	for range cap(failures) {
		if err := <-failures; !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// TestGroupsOfProcesses: eight processes, each busy all the time, all get on.
func TestGroupsOfProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "")
	var children []*exec.Cmd
	for range 8 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), childVariable+"="+path)
		c.Stderr = os.Stderr
		input, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer input.Close()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
		defer func() {
			input.Close()
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		}()
	}
	group := NewGroup(path, nil)
	for end, slow := time.Now().Add(time.Minute), len(children); slow > 0; {
		err := group.Do(t.Context(), false, soon(), func(s *Session) error {
			slow = 0
			for _, c := range children {
				if raised(s.Tx(), strconv.Itoa(c.Process.Pid)) < 50 {
					slow++
				}
			}
			return nil
		})
		if err != nil || time.Now().After(end) {
			t.Fatalf("expected each to get on, found %d that did not, %v", slow, err)
		}
	}
}

// TestInterval: only a busy process spares the file, now and then.
func TestInterval(t *testing.T) {
	long, now := time.Now().Add(-2*longestBurst), time.Now()
	for _, test := range []struct {
		name   string
		before interval
		shared bool
		spared bool
		since  bool
	}{
		{"alone", interval{since: long, others: now}, false, false, false},
		{"shared, short", interval{since: now}, true, false, true},
		{"shared, long", interval{since: long}, true, true, false},
		{"beside others", interval{since: now, others: now}, true, true, false},
		{"others are gone", interval{since: now, others: now.Add(-2 * othersStay)}, true, false, true},
	} {
		i := test.before
		if i.end(test.shared); !i.since.IsZero() != test.since || i.until.After(time.Now()) != test.spared {
			t.Errorf("%s: found %+v", test.name, i)
		}
	}
	for name, test := range map[string]struct {
		interval
		want bool
	}{
		"busy":             {interval{since: now}, true},
		"too long":         {interval{since: long}, false},
		"others were seen": {interval{since: now, others: now}, false},
		"others are gone":  {interval{since: now, others: now.Add(-2 * othersStay)}, true},
	} {
		if got := test.mayStay(); got != test.want {
			t.Errorf("%s: may stay: expected %v, found %v", name, test.want, got)
		}
	}
	i := interval{until: time.Now().Add(time.Hour)}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := i.spare(ended, soon()); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	if err := i.spare(t.Context(), time.Now()); err != nil || i.since.IsZero() {
		t.Errorf("expected an end at the deadline, found %v, %+v", err, i)
	}
	i = interval{until: time.Now().Add(5 * time.Millisecond), since: long}
	if err := i.spare(t.Context(), soon()); err != nil || time.Now().Before(i.until) || i.since != long {
		t.Errorf("expected to wait and to go on with the burst, found %v, %+v", err, i)
	}
}

// BenchmarkGroup is one small update of several goroutines, each with a session of
// its own, or sharing them.
func BenchmarkGroup(b *testing.B) {
	for _, shared := range []bool{false, true} {
		for _, goroutines := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("shared=%v/%d", shared, goroutines), func(b *testing.B) {
				benchGroup(b, shared, goroutines)
			})
		}
	}
}

func benchGroup(b *testing.B, shared bool, goroutines int) {
	path := filepath.Join(b.TempDir(), "db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	first, err := Create(b.Context(), path, soon())
	if err == nil {
		err = first.Commit()
		first.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	group := NewGroup(path, nil)
	update := func(s *Session) error { _, err := raise(s, "key"); return err }
	step := func() error { return group.Do(b.Context(), true, soon(), update) }
	if !shared {
		step = func() error {
			end, err := group.Take(b.Context(), soon())
			if err != nil {
				return err
			}
			defer end()
			s, err := group.memory.Begin(b.Context(), path, true, soon())
			if err != nil {
				return err
			}
			defer s.Close()
			return errors.Join(update(s), s.Commit())
		}
	}
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := step(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

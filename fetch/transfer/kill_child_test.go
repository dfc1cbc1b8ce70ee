package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/wire"
)

// childVariable holds a childTask, as JSON, in a process that is to be killed.
const childVariable = "ASSAY_TRANSFER_TEST_CHILD"

// childTask is what such a process does over and over, until it is killed.
type childTask struct {
	Prune  bool // else it gets
	Dir    string
	URL    string
	Seed   uint64
	Things []thing
}

// thing is a blob that children get, and where the server has it.
type thing struct {
	Want   artifact.Digests
	Length int64
}

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var task childTask
	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = task.run()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// run ends by an error, or when whoever started it is gone.
func (c childTask) run() error {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	options := cache.Options{LockWait: time.Minute}
	if c.Prune {
		// By this clock nothing is in use: what is must be kept by the locks.
		options.Now = func() time.Time { return time.Now().Add(time.Hour) }
	}
	store, err := cache.Open(c.Dir, options)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(c.Seed, 3))
	fmt.Println("ready")
	for {
		if c.Prune {
			err = pruneOnce(store, random)
		} else {
			err = c.getOnce(store, random)
		}
		if err != nil {
			return err
		}
	}
}

func pruneOnce(store *cache.Store, random *rand.Rand) error {
	var options cache.PruneOptions
	if size, age := random.Int64N(6<<20), time.Duration(0); random.IntN(2) == 0 {
		options.MaxSize = &size
	} else {
		options.Older = &age
	}
	_, err := store.Prune(context.Background(), options)
	return err
}

// getOnce brings one thing, or gives up after a while as a user does, and at times
// makes a reference to it, of which it tells once the thing is there.
func (c childTask) getOnce(store *cache.Store, random *rand.Rand) error {
	ctx := context.Background()
	if random.IntN(3) > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(500))*time.Millisecond)
		defer cancel()
		ctx = limited
	}
	index := random.IntN(len(c.Things))
	wanted := c.Things[index].Want.Primary()
	pin := random.IntN(12) == 0
	if pin {
		if err := store.Keep(ctx, cache.KindPin, wanted.Hex(), "", wanted); err != nil {
			return expected(err)
		}
	}
	blob, err := store.Get(wanted)
	if gone(err) {
		blob, err = c.bring(ctx, store, index, random)
	}
	if err == nil && random.IntN(3) == 0 {
		err = store.Note(ctx, wanted, cache.Name{Product: fmt.Sprint(random.IntN(5))})
	}
	if err == nil && random.IntN(6) == 0 {
		err = store.Describe(ctx, cache.Facts{Digest: wanted, Product: fmt.Sprint(random.IntN(3)), Components: []cache.Component{{Name: "c"}}})
	}
	if err == nil {
		err = blob.Check(ctx)
	}
	if err == nil && pin {
		fmt.Println("pinned", index)
	}
	return expected(err)
}

// expected drops the errors that are no fault: a blob that a prune has removed
// between two steps, and the end of one's patience.
func expected(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || gone(err) {
		return nil
	}
	return err
}

// bring moves a thing into the cache. It tells when bytes of an earlier run were
// of use.
func (c childTask) bring(ctx context.Context, store *cache.Store, index int, random *rand.Rand) (cache.Blob, error) {
	it := c.Things[index]
	stage, err := store.Stage(ctx, it.Want, it.Length)
	if err != nil {
		return cache.Blob{}, err
	}
	defer stage.Keep()
	if blob, held := stage.Held(ctx); held {
		return blob, nil
	}
	had := stage.Written()
	var places []Place
	if random.IntN(5) == 0 {
		places = append(places, childPlace(c.URL, "lie", index))
	}
	places = append(places, childPlace(c.URL, "honest", index))
	mover := New(wire.New(wire.Options{}), Options{Retries: 100, Pause: time.Millisecond, MaxPause: 5 * time.Millisecond})
	result, err := mover.Move(ctx, Object{Name: "thing"}, places, stage, &meter{})
	if err != nil {
		return cache.Blob{}, err
	}
	blob, err := stage.Commit(ctx)
	if err == nil && had > 0 && result.Moved <= it.Length-had {
		fmt.Println("reused", had)
	}
	return blob, err
}

func childPlace(server, kind string, index int) Place {
	u, err := url.Parse(fmt.Sprintf("%s/%s/%d", server, kind, index))
	if err != nil {
		panic(err)
	}
	return Place{URL: u, Reach: wire.ReachOf(u)}
}

// lines gives each line of a child to hear, until it ends.
func lines(from io.Reader, hear func(string)) {
	for scanner := bufio.NewScanner(from); scanner.Scan(); {
		hear(scanner.Text())
	}
}

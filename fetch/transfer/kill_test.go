package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/wire"
)

// faultsVariable chooses how long the tests of faults take: "soak" ten times as
// long, "none" not at all, as where mutants run, which shorter tests must find.
const faultsVariable = "ASSAY_FAULTS"

// killedAtOnce is how many processes run at a time, and killBatch how many are
// killed before all is looked at.
const (
	killedAtOnce = 8
	killBatch    = 50
)

// TestKilledAtRandom kills processes that get and prune, eight at a time, at
// random moments. Whenever they all are dead: what is under a final name is what
// the name says, what a reference held is there, every lock can be had, and the
// files left are known ones. In the end everything can be fetched.
func TestKilledAtRandom(t *testing.T) {
	kills := 500
	switch os.Getenv(faultsVariable) {
	case "soak":
		kills = 5000
	case "none":
		t.Skip("left out by " + faultsVariable)
	}
	if runtime.GOOS == "windows" {
		t.Skip("there is no kill -9")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := newChaos(t, seed)
	for done := 0; done < kills; done += killBatch {
		c.batch(uint64(done))
		c.look()
		if t.Failed() {
			t.Fatalf("after %d of %d kills", done+killBatch, kills)
		}
	}
	c.finish()
	t.Logf("%d kills; bytes of an earlier run were of use %d times, references made %d times", kills, c.reused, c.kept)
	if c.reused == 0 || c.kept == 0 {
		t.Errorf("expected bytes of earlier runs to be used, and references to be made, found %d and %d", c.reused, c.kept)
	}
}

// chaos is the cache that all of them use, and what must hold of it.
type chaos struct {
	t      *testing.T
	dir    string
	seed   uint64
	store  *cache.Store
	server *httptest.Server
	data   [][]byte
	things []thing
	always int // so many of the things, the last ones, are held all the time

	mu     sync.Mutex
	random *rand.Rand   // of the server
	pinned map[int]bool // things that a child made a reference to, and then held
	reused int
	kept   int
}

func newChaos(t *testing.T, seed uint64) *chaos {
	t.Helper()
	c := &chaos{t: t, dir: t.TempDir(), seed: seed, always: 2, random: rand.New(rand.NewPCG(seed, 4)), pinned: map[int]bool{}}
	store, err := cache.Open(c.dir, cache.Options{LockWait: time.Minute, Notice: func(text string) { t.Errorf("expected nothing to be healed, found: %s", text) }})
	if err != nil {
		t.Fatal(err)
	}
	c.store = store
	for i, length := range []int{100, 4 << 10, 64 << 10, 64<<10 + 1, 700 << 10, 1 << 20, 3 << 20, 8<<20 + 5, 10_000, 1 << 20} {
		data := random(uint64(100+i), length)
		c.data = append(c.data, data)
		c.things = append(c.things, thing{Want: digests(data), Length: int64(length)})
	}
	for _, it := range c.things[len(c.things)-c.always:] {
		if err := store.Keep(t.Context(), cache.KindInstall, it.Want.Primary().Hex(), "", it.Want.Primary()); err != nil {
			t.Fatal(err)
		}
	}
	for i := len(c.things) - c.always; i < len(c.things); i++ {
		stage, err := store.Stage(t.Context(), c.things[i].Want, c.things[i].Length)
		if err == nil {
			_, err = stage.Write(c.data[i])
		}
		if err == nil {
			_, err = stage.Commit(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c.server = httptest.NewServer(http.HandlerFunc(c.answer))
	t.Cleanup(c.server.Close)
	return c
}

// answer serves a thing at one of several rates, breaks off at times, and below
// /lie with a byte that is another.
func (c *chaos) answer(w http.ResponseWriter, q *http.Request) {
	_, rest, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	index, err := strconv.Atoi(rest)
	if err != nil || index < 0 || index >= len(c.data) {
		http.NotFound(w, q)
		return
	}
	data := c.data[index]
	c.mu.Lock()
	cut, rate, flip := len(data)+1, []int{0, 2 << 20, 10 << 20}[c.random.IntN(3)], c.random.IntN(len(data))
	if c.random.IntN(2) == 0 {
		cut = c.random.IntN(len(data) + 1)
	}
	c.mu.Unlock()
	if strings.HasPrefix(q.URL.Path, "/lie/") {
		data = bytes.Clone(data)
		data[flip] ^= 1
	}
	if rate > 0 {
		w = &paced{ResponseWriter: w, gone: q.Context().Done(), rate: rate}
	}
	w.Header().Set("ETag", `"v1"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(&cutter{ResponseWriter: w, left: cut}, q, "", time.Time{}, bytes.NewReader(data))
}

// paced sends so many bytes a second.
type paced struct {
	http.ResponseWriter
	gone <-chan struct{}
	rate int
}

func (p *paced) Write(data []byte) (int, error) {
	n, err := p.ResponseWriter.Write(data)
	http.NewResponseController(p.ResponseWriter).Flush()
	select {
	case <-p.gone:
	case <-time.After(time.Duration(n) * time.Second / time.Duration(p.rate)):
	}
	return n, err
}

// batch kills so many processes as are looked at together.
func (c *chaos) batch(number uint64) {
	var all sync.WaitGroup
	left := make(chan int, killBatch)
	for i := range killBatch {
		left <- i
	}
	close(left)
	for range killedAtOnce {
		all.Go(func() {
			for i := range left {
				if err := c.kill(rand.New(rand.NewPCG(c.seed, 10+number+uint64(i)))); err != nil {
					c.t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// kill starts a process and kills it after a while: mostly soon, and at times so
// late that a record of what came is written beside the bytes.
func (c *chaos) kill(random *rand.Rand) error {
	task := childTask{Prune: random.IntN(4) == 0, Dir: c.dir, URL: c.server.URL, Seed: random.Uint64(), Things: c.things}
	text, err := json.Marshal(task)
	if err != nil {
		return err
	}
	after := time.Duration(random.IntN(50_000)) * time.Microsecond
	switch random.IntN(10) {
	case 0:
		after = time.Second + 20*after
	case 1, 2, 3:
		after *= 8
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+string(text))
	var said bytes.Buffer
	child.Stderr = &said
	stdin, err := child.StdinPipe() // closed when this process is no more
	if err != nil {
		return err
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		lines(stdout, func(line string) { c.hear(line, ready) })
	}()
	select {
	case <-ready:
	case <-ended:
	}
	time.Sleep(after)
	killErr := child.Process.Kill()
	<-ended
	if err := child.Wait(); killErr != nil || said.Len() > 0 {
		return fmt.Errorf("a child (%+v) ended by itself: %w: %s", task, err, &said)
	}
	return nil
}

// hear notes what a child says.
func (c *chaos) hear(line string, ready chan struct{}) {
	what, rest, _ := strings.Cut(line, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	switch what {
	case "ready":
		close(ready)
	case "reused":
		c.reused++
	case "pinned":
		if index, err := strconv.Atoi(rest); err == nil {
			c.pinned[index] = true
			c.kept++
		}
	}
}

// knownLeft are the names that a process may leave where it is killed.
var knownLeft = regexp.MustCompile(`^(index\.db|facts\.db|(refs|index)\.lock|\.(index|facts)\.db\.[0-9a-f]{16}\.tmp` +
	`|blobs/sha256/[0-9a-f]{2}/[0-9a-f]{64}|refs/(pin|install)/([0-9a-f]{64}|\.[0-9a-f]{64}\.[0-9a-f]{16}\.tmp)` +
	`|staging/sha256-[0-9a-f]{64}\.(part|lock|resume|resume\.new))$`)

// look is called while no process runs.
func (c *chaos) look() {
	c.t.Helper()
	for path, data := range c.left() {
		if !knownLeft.MatchString(path) {
			c.t.Errorf("expected no such file: %s", path)
		}
		if strings.HasPrefix(path, "blobs/") && artifact.DigestOf(artifact.SHA256, data).Hex() != filepath.Base(path) {
			c.t.Errorf("expected the bytes that the name says, found others: %s", path)
		}
	}
	// What a reference holds is there, whether a process of ours made it or we did.
	for i, it := range c.things {
		if !c.pinned[i] && i < len(c.things)-c.always {
			continue
		}
		blob, err := c.store.Get(it.Want.Primary())
		if err == nil {
			err = blob.Check(c.t.Context())
		}
		if err != nil {
			c.t.Errorf("expected thing %d to be held by a reference, found %v", i, err)
		}
	}
	// So long as nobody runs, every lock can be had, and a stage takes what was left.
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	for i, it := range c.things {
		stage, err := c.store.Stage(ctx, it.Want, it.Length)
		if err == nil {
			err = stage.Keep()
		}
		if err == nil {
			_, err = c.store.Release(ctx, cache.KindPin, it.Want.Primary().Hex())
		}
		if err != nil {
			c.t.Errorf("thing %d: %v", i, err)
		}
	}
	clear(c.pinned)
	if report, err := c.store.Verify(ctx, nil); err != nil || len(report.Damaged) > 0 {
		c.t.Errorf("expected nothing damaged, found %+v, %v", report.Damaged, err)
	}
	if refs, err := c.store.References(ctx); err != nil || len(refs) != c.always {
		c.t.Errorf("expected the references of before alone, found %v, %v", refs, err)
	}
}

// left gives the files of the cache by their paths, and those below blobs/ with
// their content.
func (c *chaos) left() map[string][]byte {
	c.t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(c.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(c.dir, path)
		if name = filepath.ToSlash(name); err == nil && strings.HasPrefix(name, "blobs/") {
			found[name], err = os.ReadFile(path)
		} else {
			found[name] = nil
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return found
}

// finish gets everything, with what the dead have left.
func (c *chaos) finish() {
	c.t.Helper()
	mover := New(wire.New(wire.Options{}), Options{Retries: 100, Pause: time.Millisecond, MaxPause: 5 * time.Millisecond})
	for i, it := range c.things {
		stage, err := c.store.Stage(c.t.Context(), it.Want, it.Length)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, held := stage.Held(c.t.Context()); !held {
			if _, err = mover.Move(c.t.Context(), Object{Name: "thing"}, []Place{childPlace(c.server.URL, "honest", i)}, stage, &meter{}); err == nil {
				_, err = stage.Commit(c.t.Context())
			}
		}
		if err := errors.Join(err, stage.Keep()); err != nil {
			c.t.Errorf("thing %d: %v", i, err)
		}
	}
	for i, it := range c.things {
		blob, err := c.store.Get(it.Want.Primary())
		var reader io.ReadCloser
		if err == nil {
			reader, err = blob.Open()
		}
		if err != nil {
			c.t.Errorf("thing %d: %v", i, err)
			continue
		}
		if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, c.data[i]) {
			c.t.Errorf("thing %d: expected its bytes, found %d others, %v", i, len(got), err)
		}
		reader.Close()
	}
}

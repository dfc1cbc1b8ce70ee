package trust_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"assay/internal/testrepo"
)

// scaleRepo is a large repository on loopback, and one of its targets.
type scaleRepo struct {
	server       *testrepo.Server
	root         []byte
	path, sha256 string
}

func newScaleRepo(t testing.TB, l testrepo.LargeOptions) *scaleRepo {
	t.Helper()
	repo, err := testrepo.Large(testrepo.Options{}, l)
	if err != nil {
		t.Fatal(err)
	}
	server, err := testrepo.Serve(repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	path := testrepo.LargePath(l.Targets / 3)
	sum := sha256.Sum256([]byte(path))
	return &scaleRepo{server: server, root: repo.Root(), path: path, sha256: hex.EncodeToString(sum[:])}
}

// scaleClient is a child process, see scaleJob.
type scaleClient struct {
	t       testing.TB
	repo    *scaleRepo
	command *exec.Cmd
	input   io.WriteCloser
	answers *bufio.Reader
	talk    bytes.Buffer
}

// start starts a client, whose first answer comes after its first step.
func (r *scaleRepo) start(t testing.TB, client, dir string) *scaleClient {
	t.Helper()
	job, err := json.Marshal(scaleJob{Client: client, URL: r.server.URL, Root: r.root, Dir: dir, Path: r.path})
	if err != nil {
		t.Fatal(err)
	}
	c := &scaleClient{t: t, repo: r, command: exec.Command(os.Args[0], append(profiles(t, client), "-test.run=^TestScaleChild$")...)}
	c.command.Env = append(os.Environ(), scaleVariable+"="+string(job), "GORACE=atexit_sleep_ms=0")
	c.command.Stderr = &c.talk
	output, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.input, err = c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	c.answers = bufio.NewReader(output)
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// profiles has the child write profiles where SCALE_PROFILES names a folder.
func profiles(t testing.TB, client string) []string {
	dir := os.Getenv("SCALE_PROFILES")
	if dir == "" {
		return nil
	}
	name := filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256([]byte(t.Name()+client)))[:8])
	t.Logf("profiles of %s: %s.cpu, %s.mem", client, name, name)
	return []string{"-test.cpuprofile=" + name + ".cpu", "-test.memprofile=" + name + ".mem"}
}

// step has the client refresh and look up once.
func (c *scaleClient) step() scaleFigures {
	c.t.Helper()
	c.repo.server.ResetCounters()
	if _, err := io.WriteString(c.input, "\n"); err != nil {
		c.t.Fatal(err)
	}
	line, err := c.answers.ReadBytes('\n')
	var f scaleFigures
	if err == nil {
		err = json.Unmarshal(line, &f)
	}
	if err != nil {
		rest, _ := io.ReadAll(c.answers)
		c.t.Fatalf("the client gave no figures: %v\n%s%s%s", err, line, rest, c.talk.String())
	}
	if f.SHA256 != c.repo.sha256 {
		c.t.Fatalf("%s: expected %s, found %s", c.repo.path, c.repo.sha256, f.SHA256)
	}
	f.Requests, f.Wire = len(c.repo.server.Requests()), c.repo.server.BytesServed()
	return f
}

// end waits until the process has ended, so that the next has the machine.
func (c *scaleClient) end() {
	c.t.Helper()
	c.input.Close()
	io.Copy(io.Discard, c.answers)
	if err := c.command.Wait(); err != nil {
		c.t.Fatalf("the client: %v\n%s", err, c.talk.String())
	}
}

// once is a process that does one step.
func (r *scaleRepo) once(t testing.TB, client, dir string) scaleFigures {
	t.Helper()
	c := r.start(t, client, dir)
	defer c.end()
	return c.step()
}

// again is the second step of a process.
func (r *scaleRepo) again(t testing.TB, client, dir string) scaleFigures {
	t.Helper()
	c := r.start(t, client, dir)
	defer c.end()
	c.step()
	return c.step()
}

// What the benchmarks of scale count must be right, on a small scale too: which
// requests a client makes when it has nothing, and that two are enough when
// nothing is new.
func TestScaleInRequests(t *testing.T) {
	for _, l := range []testrepo.LargeOptions{{Targets: 1000}, {Targets: 1000, Loose: true}, {Targets: 1000, Bits: 4}} {
		r := newScaleRepo(t, l)
		want := []string{"/2.root.json", "/timestamp.json", "/1.snapshot.json", "/1.targets.json"}
		if l.Bits > 0 {
			want = append(want, "/1."+testrepo.BinOf(testrepo.Bins{Prefix: testrepo.LargePrefix, BitLength: l.Bits}, r.path)+".json")
		}
		dir := t.TempDir()
		if r.once(t, "assay", dir); !slices.Equal(r.server.Requests(), want) {
			t.Errorf("%+v, cold: expected %q, found %q", l, want, r.server.Requests())
		}
		if r.once(t, "assay", dir); !slices.Equal(r.server.Requests(), want[:2]) {
			t.Errorf("%+v, warm: expected %q, found %q", l, want[:2], r.server.Requests())
		}
		if r.again(t, "assay", dir); !slices.Equal(r.server.Requests(), want[:2]) {
			t.Errorf("%+v, in the same process: expected %q, found %q", l, want[:2], r.server.Requests())
		}
		r.once(t, "go-tuf", t.TempDir())
	}
}

// peerOfAll has go-tuf's updater read a million targets out of one role, too: two
// minutes and 6 GB each time, so that it does so once cold and once warm, however
// often the benchmark runs. No name that begins with ASSAY_ will do: the program
// itself, which `make bench` also runs, refuses those that it does not know.
const peerOfAll = "SCALE_PEER_1M"

// BenchmarkScale is a refresh with one look-up, beside go-tuf's own updater: cold
// with an empty state, warm in a new process with nothing new to be had, and
// again in the same process.
func BenchmarkScale(b *testing.B) {
	for _, bits := range []int{0, 14} {
		for _, targets := range []int{1000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("bins=%d/targets=%d", 1<<bits&^1, targets), func(b *testing.B) {
				slow := bits == 0 && targets == 1_000_000
				compared := scalePeer{once: slow, absent: slow && os.Getenv(peerOfAll) == ""}
				newScaleRepo(b, testrepo.LargeOptions{Targets: targets, Bits: bits}).benchmark(b, compared)
			})
		}
	}
}

// BenchmarkScaleLoose is the same for metadata that is not written in the
// canonical form, without the peer.
func BenchmarkScaleLoose(b *testing.B) {
	newScaleRepo(b, testrepo.LargeOptions{Targets: 1_000_000, Loose: true}).benchmark(b, scalePeer{absent: true})
}

// scalePeer says how go-tuf's updater takes part.
type scalePeer struct{ absent, once bool }

func (r *scaleRepo) benchmark(b *testing.B, peer scalePeer) {
	warm := map[string]string{"assay": b.TempDir(), "go-tuf": b.TempDir()}
	r.once(b, "assay", warm["assay"])
	theirs := map[string]scaleFigures{}
	if !peer.absent {
		theirs["cold"] = r.once(b, "go-tuf", warm["go-tuf"])
	}
	for _, run := range []struct {
		name string
		step func(b *testing.B, client string) scaleFigures
	}{
		{"cold", func(b *testing.B, client string) scaleFigures {
			dir := b.TempDir()
			defer os.RemoveAll(dir)
			return r.once(b, client, dir)
		}},
		{"warm", func(b *testing.B, client string) scaleFigures { return r.once(b, client, warm[client]) }},
		{"again", func(b *testing.B, client string) scaleFigures { return r.again(b, client, warm[client]) }},
	} {
		compared := !peer.absent && run.name != "again"
		b.Run(run.name, func(b *testing.B) {
			var ours scaleFigures
			for b.Loop() {
				ours = run.step(b, "assay")
				if _, known := theirs[run.name]; compared && !(known && peer.once) {
					theirs[run.name] = run.step(b, "go-tuf")
				}
			}
			ours.report(b, "")
			if compared {
				theirs[run.name].report(b, "go-tuf-")
				b.ReportMetric(float64(ours.Wall)/float64(theirs[run.name].Wall), "x-go-tuf-wall")
				b.ReportMetric(float64(ours.CPU)/float64(theirs[run.name].CPU), "x-go-tuf-cpu")
				b.ReportMetric(float64(ours.Peak)/float64(theirs[run.name].Peak), "x-go-tuf-peak")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func (f scaleFigures) report(b *testing.B, prefix string) {
	b.ReportMetric(float64(f.Wall.Microseconds())/1000, prefix+"ms")
	b.ReportMetric(float64(f.CPU.Microseconds())/1000, prefix+"ms-cpu")
	b.ReportMetric(float64(f.Peak)/1e6, prefix+"peak-MB")
	b.ReportMetric(float64(f.AllocBytes)/1e6, prefix+"alloc-MB")
	b.ReportMetric(float64(f.Allocs), prefix+"allocs")
	b.ReportMetric(float64(f.Wire)/1e3, prefix+"wire-kB")
	b.ReportMetric(float64(f.Requests), prefix+"requests")
}

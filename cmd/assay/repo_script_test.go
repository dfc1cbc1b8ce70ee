package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/internal/testrepo"
)

// served are the repositories of one script, by name.
type served struct {
	repos   map[string]*testrepo.Repo
	servers map[string]*testrepo.Server
	holds   map[string]*testrepo.Holding
	boxes   map[string]*testrepo.Sigstore
	keys    map[string]*testrepo.SigningKey
}

// servedBy are the repositories of a script.
func servedBy(ts *testscript.TestScript) *served {
	found, ok := scripts.Load(ts)
	if !ok {
		found, _ = scripts.LoadOrStore(ts, &served{
			repos: map[string]*testrepo.Repo{}, servers: map[string]*testrepo.Server{}, holds: map[string]*testrepo.Holding{},
			boxes: map[string]*testrepo.Sigstore{}, keys: map[string]*testrepo.SigningKey{},
		})
		ts.Defer(func() { scripts.Delete(ts) })
	}
	return found.(*served)
}

// scripts holds each script's repositories; scripts run at once.
var scripts sync.Map // *testscript.TestScript → *served

// repoCommand is the script command `repo VERB NAME ARGS…`:
//
//	repo start acme [now=-240h] [ROLE=3s…]  serve the sample; sets ACME_URL, ACME_HOST, ACME_ROOT_SHA256,
//	                                        writes acme.root.json; ROLE=… is how long it is valid
//	repo mirror eu acme                     serve acme's files again, as eu
//	repo bare approvals                     serve one without a catalog, with nothing in it
//	repo approve approvals acme PREFIX      have it promise what acme does below PREFIX, and publish
//	repo publish acme [ROLE…]               publish anew: what changed, or these roles as well
//	repo rotate acme ROLE                   new keys, then publish
//	repo expiry acme ROLE 3s                from the next publish on
//	repo revoke acme PRODUCT CHANNEL VERSION
//	repo target acme PATH FILE [ROLE]       add a target of FILE's bytes, not yet published
//	repo delegate acme ROLE PATTERN [FROM]  by targets or the role FROM, not yet published
//	repo bins acme PARENT BITS              have hash bins below a role, not yet published
//	repo large acme PATH BYTES
//	repo copy acme FILE TO                  metadata as it is served
//	repo pad acme FILE BYTES                add blanks to metadata; its signatures go on holding
//	repo serve acme GENERATION              an older one; 0 is the newest
//	repo fault acme KIND ARGS…              see fault
//	repo reached acme                       wait until a held transfer has come half way
//	repo clear acme                         no fault any more
//	repo requests acme [N]                  there were N (0) requests since the last such line
//	repo reset acme                         count requests from here on
//	repo stop acme
func repoCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: repo VERB NAME ARGS…")
	}
	s := servedBy(ts)
	verb, name, args := args[0], args[1], args[2:]
	switch verb {
	case "start":
		s.start(ts, name, args)
		return
	case "bare":
		s.bare(ts, name)
		return
	case "mirror":
		server, err := testrepo.Serve(s.repos[args[0]])
		ts.Check(err)
		s.serve(ts, name, s.repos[args[0]], server)
		return
	}
	repo, server := s.repos[name], s.servers[name]
	if repo == nil {
		ts.Fatalf("repo %s: no repository %s was started", verb, name)
	}
	arg := func(i int) string {
		if i >= len(args) {
			ts.Fatalf("repo %s: expected more arguments", verb)
		}
		return args[i]
	}
	switch verb {
	case "publish":
		if len(args) > 0 {
			ts.Check(repo.Renew(args...))
		}
		ts.Check(repo.Publish())
	case "rotate":
		ts.Check(repo.RotateKey(arg(0)))
		ts.Check(repo.Publish())
	case "expiry":
		ts.Check(repo.SetExpiry(arg(0), duration(ts, arg(1))))
	case "revoke":
		ts.Check(repo.SetStatus(arg(0), arg(1), arg(2), "revoked", "revoked by a test", ""))
		ts.Check(repo.Publish())
	case "delegate":
		from := "targets"
		if len(args) > 2 {
			from = args[2]
		}
		ts.Check(repo.Delegate(from, testrepo.DelegatedRole{Name: arg(0), Paths: []string{arg(1)}}))
	case "bins":
		ts.Check(repo.DelegateBins(arg(0), testrepo.Bins{BitLength: number(ts, arg(1)), Prefix: "bin"}))
	case "approve":
		ts.Check(repo.Approve(s.repos[arg(0)], arg(1)))
		ts.Check(repo.Publish())
	case "target":
		ts.Check(repo.AddTarget(arg(0), []byte(ts.ReadFile(arg(1))), args[2:]...))
	case "large":
		ts.Check(repo.AddLarge(arg(0), int64(number(ts, arg(1))), 1))
	case "pad":
		data, ok := repo.Files(0)[arg(0)]
		if !ok {
			ts.Fatalf("repo pad: there is no %s", arg(0))
		}
		ts.Check(repo.SetFile(arg(0), append(data, strings.Repeat(" ", number(ts, arg(1)))...)))
	case "copy":
		ts.Check(os.WriteFile(ts.MkAbs(arg(1)), repo.Files(0)[arg(0)], 0o644))
	case "serve":
		server.ServeGeneration(number(ts, arg(0)))
	case "fault":
		s.fault(ts, name, arg(0), args[1:])
	case "reached":
		select {
		case <-s.holds[name].Reached:
		case <-time.After(10 * time.Second):
			ts.Fatalf("no transfer came half way")
		}
	case "clear":
		server.Clear()
	case "requests":
		want := 0
		if len(args) > 0 {
			want = number(ts, args[0])
		}
		if got := server.Requests(); len(got) != want {
			ts.Fatalf("%d requests, want %d: %s", len(got), want, strings.Join(got, " "))
		}
		server.ResetCounters()
	case "reset":
		server.ResetCounters()
	case "stop":
		ts.Check(server.Close())
		delete(s.servers, name)
	default:
		ts.Fatalf("repo: unknown verb %s", verb)
	}
}

func (s *served) start(ts *testscript.TestScript, name string, args []string) {
	s.startWith(ts, name, args, testrepo.Options{})
}

func (s *served) startWith(ts *testscript.TestScript, name string, args []string, opts testrepo.Options) {
	opts.Expiry = map[string]time.Duration{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		if key == "now" {
			shift := duration(ts, value)
			opts.Now = func() time.Time { return time.Now().Add(shift) }
			continue
		}
		opts.Expiry[key] = duration(ts, value)
	}
	repo, server, err := testrepo.ServeSample(opts)
	ts.Check(err)
	s.serve(ts, name, repo, server)
}

func (s *served) bare(ts *testscript.TestScript, name string) {
	repo, err := testrepo.New(testrepo.Options{})
	ts.Check(err)
	ts.Check(repo.Publish())
	server, err := testrepo.Serve(repo)
	ts.Check(err)
	s.serve(ts, name, repo, server)
}

// serve tells the script of a repository.
func (s *served) serve(ts *testscript.TestScript, name string, repo *testrepo.Repo, server *testrepo.Server) {
	s.repos[name], s.servers[name] = repo, server
	ts.Defer(func() {
		if server := s.servers[name]; server != nil {
			ts.Check(server.Close())
		}
	})
	ts.Setenv(strings.ToUpper(name)+"_URL", server.URL)
	ts.Setenv(strings.ToUpper(name)+"_HOST", strings.TrimPrefix(server.URL, "http://"))
	ts.Setenv(strings.ToUpper(name)+"_ROOT_SHA256", repo.RootSHA256())
	ts.Check(os.WriteFile(ts.MkAbs(name+".root.json"), repo.Root(), 0o644))
}

// fault makes the server misbehave:
//
//	html · silent · freeze · thaw · status PATH CODE · flip PATH · truncate PATH
//	extend PATH · wronglength PATH · replace PATH FILE · redirectloop PATH
//	redirect PATH URL · endless PATH · gzip PATH · cut PATH BYTES
//	drip PATH BYTES_PER_SECOND · hold PATH · token PATH TOKEN
//
// PATH is a part of the path asked for.
func (s *served) fault(ts *testscript.TestScript, name, kind string, args []string) {
	server := s.servers[name]
	part, more := "", ""
	if len(args) > 0 {
		part = args[0]
	}
	if len(args) > 1 {
		more = args[1]
	}
	plain := map[string]func(){
		"html": server.HTML, "silent": server.Silent, "freeze": server.Freeze, "thaw": server.Thaw,
		"flip":         func() { server.FlipByte(part) },
		"truncate":     func() { server.Truncate(part) },
		"extend":       func() { server.Extend(part) },
		"wronglength":  func() { server.WrongLength(part) },
		"redirectloop": func() { server.RedirectLoop(part) },
		"endless":      func() { server.Endless(part) },
		"gzip":         func() { server.Gzip(part) },
		"redirect":     func() { server.Redirect(part, more) },
		"status":       func() { server.Status(part, number(ts, more)) },
		"cut":          func() { server.Cut(part, int64(number(ts, more))) },
		"drip":         func() { server.Drip(part, number(ts, more)) },
		"replace":      func() { server.Replace(part, []byte(ts.ReadFile(more))) },
		"token":        func() { server.RequireToken(part, more) },
		"hold":         func() { s.holds[name] = server.Hold(part) },
	}
	set, ok := plain[kind]
	if !ok {
		ts.Fatalf("repo fault: unknown kind %s", kind)
	}
	set()
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func duration(ts *testscript.TestScript, text string) time.Duration {
	d, err := time.ParseDuration(text)
	ts.Check(err)
	return d
}

package main

import (
	"syscall"
	"testing"

	"assay/internal/testrepo"
)

// BenchmarkGetFar gets a target of 8 MiB from nginx in a network of its own, with
// 100 ms to there and back, and where 1 % of what is sent here is lost. A server
// that backs off at each loss (reno; cubic is like it there) then sends some 200 KB a second
// by one connection, however fast the line is.
func BenchmarkGetFar(b *testing.B) {
	const size = 8 << 20
	needCurl(b)
	where := needLine(b)
	repo, err := testrepo.New(testrepo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := repo.AddLarge(bigTarget, size, 1); err != nil {
		b.Fatal(err)
	}
	folder := publishFolder(b, repo)
	server := serveFolder(b, folder, where.there, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET})
	how := where.join(b, server.process.Pid)
	server.await(b)
	path, _ := findBig(b, folder)
	m := client(b, repo, server.http, server.authority)
	rivals := []rival{
		{name: "", ours: true, run: func() usage {
			m.forget()
			defer m.forget()
			return m.must("get", "acme", bigTarget, "--print", "path")
		}},
		{name: "curl", run: func() usage {
			out, done := m.output(size)
			defer done()
			return m.run(m.command("curl", "-sS", "-o", out, server.http+"/"+path))
		}},
	}
	b.Run(how, func(b *testing.B) {
		m.t = b
		compare(b, rivals, 1)
	})
}

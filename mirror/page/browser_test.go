//go:build unix

package page

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium, spoken to over two pipes in its DevTools protocol:
// messages in JSON, each ended by a zero byte.
type browser struct {
	t       *testing.T
	command *exec.Cmd
	to      io.WriteCloser
	session string

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	events  map[string][]json.RawMessage // by method
	came    *sync.Cond                   // an event, or the end
	gone    bool
}

// browserTime is what a browser may take in all for one test.
const browserTime = 3 * time.Minute

type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
	Session string `json:"sessionId,omitempty"`
}

// startBrowser starts one and opens a page in it, with scripts of pages switched off.
// Where there is none the test is skipped.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed")
	}
	arguments := []string{
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir(), "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
	}
	if os.Getuid() == 0 {
		arguments = append(arguments, "--no-sandbox") // it refuses to have one as root; it only sees this test's page
	}
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, command: exec.Command(path, arguments...), to: to, waiting: map[int]chan message{}, events: map[string][]json.RawMessage{}}
	b.came = sync.NewCond(&b.mu)
	b.command.ExtraFiles = []*os.File{in, out} // 3 and 4
	b.command.WaitDelay = 10 * time.Second
	if err := b.command.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	go b.read(from)
	// A browser that hangs fails its test, and not the whole run.
	end := time.AfterFunc(browserTime, func() { _ = b.command.Process.Kill() }) // it may have ended
	t.Cleanup(func() {
		defer end.Stop()
		to.Close() // it ends with its pipe
		if err := b.command.Wait(); err != nil {
			t.Logf("the browser ended with %v", err)
		}
		from.Close()
	})
	var target struct{ TargetID string }
	b.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Log.enable", "Runtime.enable"} {
		b.do(domain, nil, nil)
	}
	b.do("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	return b
}

func (b *browser) read(from io.Reader) {
	reader := bufio.NewReader(from)
	for {
		text, err := reader.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			for id, one := range b.waiting {
				close(one)
				delete(b.waiting, id)
			}
			b.gone = true
			b.came.Broadcast()
			b.mu.Unlock()
			return
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			continue
		}
		b.mu.Lock()
		if m.ID != 0 {
			b.waiting[m.ID] <- m
			delete(b.waiting, m.ID)
		} else {
			b.events[m.Method] = append(b.events[m.Method], m.Params)
			b.came.Broadcast()
		}
		b.mu.Unlock()
	}
}

// do asks the browser for something, and decodes what it answers.
func (b *browser) do(method string, params, into any) {
	b.t.Helper()
	if err := b.try(method, params, into); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

func (b *browser) try(method string, params, into any) error {
	if params == nil {
		params = struct{}{}
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	if b.gone {
		b.mu.Unlock()
		return errors.New("the browser is gone")
	}
	b.last++
	m := message{ID: b.last, Method: method, Params: raw, Session: b.session}
	b.waiting[m.ID] = answer
	text, err := json.Marshal(m)
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	found, open := <-answer
	switch {
	case !open:
		return errors.New("the browser is gone")
	case found.Error != nil:
		return errors.New(found.Error.Message)
	case into == nil:
		return nil
	}
	return json.Unmarshal(found.Result, into)
}

// loads does what leads to another page, and waits until that is there.
func (b *browser) loads(do func()) {
	b.t.Helper()
	b.mu.Lock()
	before := len(b.events["Page.loadEventFired"])
	b.mu.Unlock()
	do()
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.events["Page.loadEventFired"]) == before {
		if b.gone {
			b.t.Fatal("the browser is gone, and has loaded nothing")
		}
		b.came.Wait() // browserTime ends it
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.loads(func() { b.do("Page.navigate", map[string]any{"url": url}, nil) })
}

// looks has pages be so wide, dark or light, with scripts of their own off.
func (b *browser) looks(width int, scheme string) {
	b.t.Helper()
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"},
	}}, nil)
}

// eval gives the value of an expression in the page, which the test asks for and
// not the page.
func (b *browser) eval(expression string, into any) {
	b.t.Helper()
	var found struct {
		Result struct {
			Value json.RawMessage
		}
		ExceptionDetails json.RawMessage
	}
	b.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &found)
	if found.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, found.ExceptionDetails)
	}
	if err := json.Unmarshal(found.Result.Value, into); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// press presses and releases a key.
func (b *browser) press(key string) {
	b.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, " ": 32}
	text := map[string]string{"Enter": "\r", " ": " "}[key]
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.do("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": codes[key], "text": text}, nil)
	}
}

// complaints are what the browser has logged since it was asked last.
func (b *browser) complaints() (list []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.events["Log.entryAdded"] {
		list = append(list, string(one))
	}
	b.events["Log.entryAdded"] = nil
	return list
}

// shoot writes a picture of the whole page into the folder that ASSAY_SHOTS names,
// for somebody to look at.
func (b *browser) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("ASSAY_SHOTS")
	if dir == "" {
		return
	}
	var size struct{ Width, Height float64 }
	b.eval(`({Width: document.documentElement.clientWidth, Height: document.documentElement.scrollHeight})`, &size)
	var shot struct{ Data string }
	b.do("Page.captureScreenshot", map[string]any{
		"captureBeyondViewport": true, "clip": map[string]float64{"x": 0, "y": 0, "width": size.Width, "height": min(size.Height, 6000), "scale": 1},
	}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", data, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func nameOfShot(what string, width int, scheme string) string {
	return fmt.Sprintf("%s-%s-%s", what, strconv.Itoa(width), scheme)
}

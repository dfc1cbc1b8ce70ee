package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"assay/internal/config"
)

// object is one of packaging/kubernetes, with the fields that are compared here.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct {
		Name   string
		Labels map[string]string
	}
	Data map[string]string
	Spec struct {
		Selector             map[string]any
		PodSelector          podSelector `yaml:"podSelector"`
		ServiceName          string      `yaml:"serviceName"`
		Replicas             int
		Template             podTemplate
		VolumeClaimTemplates []object `yaml:"volumeClaimTemplates"`
		Ports                []struct {
			Name       string
			TargetPort string `yaml:"targetPort"`
			Port       int
		}
		JobLabel  string `yaml:"jobLabel"`
		Endpoints []struct{ Port, Path string }
		Ingress   []struct{ Ports []struct{ Port string } }
	}
}

type podSelector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type podTemplate struct {
	Metadata struct{ Labels map[string]string }
	Spec     struct {
		AutomountServiceAccountToken  *bool           `yaml:"automountServiceAccountToken"`
		TerminationGracePeriodSeconds int             `yaml:"terminationGracePeriodSeconds"`
		SecurityContext               securityContext `yaml:"securityContext"`
		Containers                    []podContainer
		Volumes                       []struct {
			Name      string
			ConfigMap struct{ Name string } `yaml:"configMap"`
		}
	}
}

type podContainer struct {
	Name          string
	Command, Args []string
	Env           []struct{ Name, Value string }
	Ports         []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe    podProbe `yaml:"startupProbe"`
	ReadinessProbe  podProbe `yaml:"readinessProbe"`
	LivenessProbe   podProbe `yaml:"livenessProbe"`
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext securityContext `yaml:"securityContext"`
	VolumeMounts    []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type podProbe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

type securityContext struct {
	RunAsNonRoot             bool                  `yaml:"runAsNonRoot"`
	RunAsUser                int                   `yaml:"runAsUser"`
	FSGroup                  int                   `yaml:"fsGroup"`
	SeccompProfile           struct{ Type string } `yaml:"seccompProfile"`
	AllowPrivilegeEscalation *bool                 `yaml:"allowPrivilegeEscalation"`
	ReadOnlyRootFilesystem   bool                  `yaml:"readOnlyRootFilesystem"`
	Capabilities             struct{ Drop []string }
}

// cluster is packaging/kubernetes.
type cluster struct {
	t       *testing.T
	objects []object
}

// readCluster reads all that kustomization.yaml names, which must be all that lies there.
func readCluster(t *testing.T) *cluster {
	t.Helper()
	dir := filepath.Join(repositoryRoot, "packaging", "kubernetes")
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var list struct{ Resources []string }
	if err := yaml.Unmarshal(read("kustomization.yaml"), &list); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) != len(list.Resources)+1 {
		t.Errorf("expected kustomization.yaml to name each file beside it, found %v and %v, %v", list.Resources, files, err)
	}
	c := &cluster{t: t}
	for _, name := range list.Resources {
		decoder := yaml.NewDecoder(bytes.NewReader(read(name)))
		for {
			var o object
			if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			c.objects = append(c.objects, o)
		}
	}
	return c
}

// the finds the objects of a kind.
func (c *cluster) the(kind string) (found []object) {
	c.t.Helper()
	for _, o := range c.objects {
		if o.Kind == kind {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		c.t.Fatalf("there is no %s", kind)
	}
	return found
}

// portOf is the number of a container's port by its name.
func (c *cluster) portOf(name string) int {
	for _, container := range c.the("StatefulSet")[0].Spec.Template.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name {
				return port.ContainerPort
			}
		}
	}
	c.t.Errorf("no container has the port %q", name)
	return 0
}

// mountOf is where the volume of a path is mounted, in a container.
func mountOf(container podContainer, path string) (volume string, readOnly bool) {
	longest := ""
	for _, m := range container.VolumeMounts {
		if strings.HasPrefix(path, m.MountPath+"/") && len(m.MountPath) > len(longest) {
			longest, volume, readOnly = m.MountPath, m.Name, m.ReadOnly
		}
	}
	return volume, readOnly
}

// configuration is the mirror.toml of the ConfigMap as the program reads it.
func (c *cluster) configuration() *config.Config {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "mirror.toml")
	if err := os.WriteFile(path, []byte(c.the("ConfigMap")[0].Data["mirror.toml"]), 0o600); err != nil {
		c.t.Fatal(err)
	}
	cfg, err := config.Load(config.LoadOptions{ConfigFlag: path})
	if err != nil {
		c.t.Fatalf("mirror.toml: %v", err)
	}
	if cfg.Daemon == nil || len(cfg.Daemon.Upstreams) == 0 {
		c.t.Fatal("mirror.toml: expected a mirror with an upstream")
	}
	if _, err := settingsOf(cfg); err != nil {
		c.t.Errorf("mirror.toml: %v", err)
	}
	return cfg
}

// TestKubernetesFits holds the manifests to what the program has: its command line, its
// configuration, its ports, and the folders that it writes.
func TestKubernetesFits(t *testing.T) {
	c := readCluster(t)
	set, cfg := c.the("StatefulSet")[0], c.configuration()
	pod := set.Spec.Template.Spec
	mirror, metrics := pod.Containers[0], pod.Containers[1]

	// What is run is a command, on a file of the ConfigMap.
	line, err := parseLine((&app{}).grow(), append(slices.Clone(mirror.Command[1:]), mirror.Args...))
	if err != nil || pathName(line.path) != "assay mirror serve" || len(line.args) > 0 {
		t.Fatalf("expected the command of a mirror, found %v, %v", mirror.Args, err)
	}
	volume, readOnly := mountOf(mirror, line.shared[flagConfig])
	if _, ok := c.the("ConfigMap")[0].Data[filepath.Base(line.shared[flagConfig])]; !ok || volume != "config" || !readOnly {
		t.Errorf("%s: expected a file of the ConfigMap, read-only, found it in the volume %q", line.shared[flagConfig], volume)
	}

	// It listens where the pod says, and what it writes is on the volume that stays.
	if want := fmt.Sprintf(":%d", c.portOf("http")); !slices.Equal(cfg.Daemon.Listen, []string{want}) {
		t.Errorf("expected to listen at %s, found %v", want, cfg.Daemon.Listen)
	}
	written := []string{cfg.Daemon.Dir}
	for _, v := range mirror.Env {
		if strings.HasPrefix(v.Name, "XDG_") {
			written = append(written, v.Value)
		}
	}
	for _, path := range written {
		if volume, readOnly := mountOf(mirror, path); volume != set.Spec.VolumeClaimTemplates[0].Metadata.Name || readOnly {
			t.Errorf("%s: expected it on the volume that stays, found %q", path, volume)
		}
	}
	if grace := int(cfg.Daemon.StopGrace / time.Second); pod.TerminationGracePeriodSeconds < grace+15 {
		t.Errorf("expected more time to end than stop_grace, %d s, found %d", grace, pod.TerminationGracePeriodSeconds)
	}
	// Both containers see the socket, and nobody else.
	for _, container := range []podContainer{mirror, metrics} {
		if volume, _ := mountOf(container, cfg.Daemon.AdminSocket); volume != "run" {
			t.Errorf("%s: expected the socket %s in the volume that both have, found %q", container.Name, cfg.Daemon.AdminSocket, volume)
		}
	}
	if !strings.Contains(c.the("ConfigMap")[0].Data["nginx.conf"], "http://unix:"+cfg.Daemon.AdminSocket+";") {
		t.Error("nginx.conf: expected it to ask the socket of mirror.toml")
	}
	if !strings.Contains(c.the("ConfigMap")[0].Data["nginx.conf"], fmt.Sprintf("listen %d;", c.portOf("metrics"))) {
		t.Error("nginx.conf: expected it to listen at the port of its container")
	}
}

// TestKubernetesNames shows that what refers to another by a name or a label finds it.
func TestKubernetesNames(t *testing.T) {
	c := readCluster(t)
	set := c.the("StatefulSet")[0]
	labels := set.Spec.Template.Metadata.Labels
	carries := func(what string, selector any, labels map[string]string) {
		wanted, _ := selector.(map[string]any)
		if inner, ok := wanted["matchLabels"].(map[string]any); ok {
			wanted = inner
		}
		if len(wanted) == 0 {
			t.Errorf("%s: expected it to select something", what)
		}
		for key, value := range wanted {
			if labels[key] != value {
				t.Errorf("%s: expected %s=%v on what it selects, found %v", what, key, value, labels)
			}
		}
	}
	carries("StatefulSet", set.Spec.Selector, labels)
	carries("PodDisruptionBudget", c.the("PodDisruptionBudget")[0].Spec.Selector, labels)
	for key, value := range c.the("NetworkPolicy")[0].Spec.PodSelector.MatchLabels {
		if labels[key] != value {
			t.Errorf("NetworkPolicy: expected %s=%s on the pod, found %v", key, value, labels)
		}
	}
	named := false
	var watched *object
	for _, service := range c.the("Service") {
		carries("Service "+service.Metadata.Name, service.Spec.Selector, labels)
		named = named || service.Metadata.Name == set.Spec.ServiceName
		for _, port := range service.Spec.Ports {
			c.portOf(port.TargetPort)
			if port.Name == "metrics" {
				watched = &service
			}
		}
	}
	if !named || watched == nil {
		t.Fatalf("expected a Service %s, and one with the port of the metrics", set.Spec.ServiceName)
	}
	monitor := c.the("ServiceMonitor")[0]
	carries("ServiceMonitor", monitor.Spec.Selector, watched.Metadata.Labels)
	if e := monitor.Spec.Endpoints[0]; e.Port != "metrics" || !strings.Contains(c.the("ConfigMap")[0].Data["nginx.conf"], "location = "+e.Path+" {") {
		t.Errorf("ServiceMonitor: expected the port and the path of the metrics, found %+v", e)
	}
	alerts, err := os.ReadFile(filepath.Join(repositoryRoot, "packaging", "prometheus", "alerts.yaml"))
	if job := watched.Metadata.Labels[monitor.Spec.JobLabel]; err != nil || !strings.Contains(string(alerts), `job="`+job+`"`) {
		t.Errorf("expected the alerts to be about the job %q, %v", job, err)
	}
	for _, rule := range c.the("NetworkPolicy")[0].Spec.Ingress {
		for _, port := range rule.Ports {
			c.portOf(port.Port)
		}
	}
	for _, volume := range set.Spec.Template.Spec.Volumes {
		if volume.Name == "config" && volume.ConfigMap.Name != c.the("ConfigMap")[0].Metadata.Name {
			t.Errorf("there is no ConfigMap %q", volume.ConfigMap.Name)
		}
	}
}

// TestKubernetesConfines shows that the pod has what the profile "restricted" of
// Kubernetes asks for, and can write nowhere but on its volumes.
func TestKubernetesConfines(t *testing.T) {
	set := readCluster(t).the("StatefulSet")[0]
	pod := set.Spec.Template.Spec
	s := pod.SecurityContext
	if !s.RunAsNonRoot || s.RunAsUser == 0 || s.FSGroup == 0 || s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("expected a user that is not root, and the seccomp profile of the runtime, found %+v", s)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("expected no token of the cluster in the pod")
	}
	if set.Spec.Replicas != 1 {
		t.Errorf("expected one replica, as one process owns the folder, found %d", set.Spec.Replicas)
	}
	for _, container := range pod.Containers {
		s := container.SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("%s: expected no privilege and a root that is read-only, found %+v", container.Name, s)
		}
		if container.Resources.Requests["memory"] == "" || container.Resources.Limits["memory"] == "" || container.Resources.Requests["cpu"] == "" {
			t.Errorf("%s: expected requests and a limit of memory, found %+v", container.Name, container.Resources)
		}
	}
}

// TestKubernetesAnswers runs the command of the pod on the configuration of the ConfigMap, with the folders
// and the addresses of this machine: each probe has an answer, and nginx shows the metrics and nothing else.
func TestKubernetesAnswers(t *testing.T) {
	c := readCluster(t)
	set := c.the("StatefulSet")[0]
	mirror := set.Spec.Template.Spec.Containers[0]
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	side := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer(
		"/var/lib/assay-mirror", filepath.Join(dir, "data"), "/run/assay-mirror", filepath.Join(dir, "run"),
		`":8080"`, `"127.0.0.1:0"`, "https://tuf.acme.example", "http://127.0.0.1:1",
		"listen 9091", "listen "+side, "/tmp/", dir+"/", "/etc/assay-mirror", dir,
	)
	for name, text := range c.the("ConfigMap")[0].Data {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(here.Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := runMirror(t, dir, mirror, here)
	for name, probe := range map[string]struct {
		path string
		code int
	}{
		"live":  {mirror.LivenessProbe.HTTPGet.Path, http.StatusOK},
		"start": {mirror.StartupProbe.HTTPGet.Path, http.StatusOK},
		"ready": {mirror.ReadinessProbe.HTTPGet.Path, http.StatusServiceUnavailable}, // nothing is carried
	} {
		if code, text := askHTTP(t, base+probe.path, probe.code); code != probe.code {
			t.Errorf("%s: %s: expected %d, found %d %s", name, probe.path, probe.code, code, text)
		}
	}
	for _, probe := range []string{mirror.LivenessProbe.HTTPGet.Port, mirror.StartupProbe.HTTPGet.Port, mirror.ReadinessProbe.HTTPGet.Port} {
		if probe != "http" {
			t.Errorf("expected probes of the public side, found one of %q", probe)
		}
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed (Debian package nginx-light): the metrics were not asked for")
	}
	args := slices.Clone(set.Spec.Template.Spec.Containers[1].Args)
	for i := range args {
		args[i] = here.Replace(args[i])
	}
	ctx, cancel := context.WithCancel(t.Context())
	process := exec.CommandContext(ctx, nginx, args...)
	// A killed master would leave workers behind.
	process.Cancel, process.WaitDelay = func() error { return process.Process.Signal(os.Interrupt) }, 10*time.Second
	process.Stderr = t.Output()
	if os.Getuid() == 0 { // else its workers are another user's
		process.Args = append(process.Args[:len(process.Args)-1], "user root; "+process.Args[len(process.Args)-1])
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = process.Wait() // it was interrupted
	})
	if code, text := askHTTP(t, "http://"+side+"/metrics", http.StatusOK); code != http.StatusOK || !strings.Contains(text, "assay_mirror_ready 0") {
		t.Errorf("/metrics: expected those of the mirror, found %d %.500s", code, text)
	}
	for _, path := range []string{"/", "/v1/status", "/metrics/", "/metrics/../v1/status"} {
		if code, text := askHTTP(t, "http://"+side+path, http.StatusNotFound); code != http.StatusNotFound {
			t.Errorf("%s: expected nothing there, found %d %.200s", path, code, text)
		}
	}
}

// runMirror starts the pod's first container here, and gives the address of its public side.
func runMirror(t *testing.T, dir string, container podContainer, here *strings.Replacer) (base string) {
	t.Helper()
	args := slices.Clone(container.Args)
	for i := range args {
		args[i] = here.Replace(args[i])
	}
	ctx, cancel := context.WithCancel(t.Context())
	process := exec.CommandContext(ctx, container.Command[0], args...)
	process.Cancel, process.WaitDelay = func() error { return process.Process.Signal(os.Interrupt) }, 10*time.Second
	process.Dir, process.Env, process.Stderr = dir, []string{"PATH=" + os.Getenv("PATH")}, t.Output()
	for _, v := range container.Env {
		process.Env = append(process.Env, v.Name+"="+here.Replace(v.Value))
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = process.Wait() // it was interrupted
	})
	said := make([]byte, 200)
	n, err := out.Read(said)
	found := regexp.MustCompile(`listening on (http://[^/]+)/r/`).FindSubmatch(said[:n])
	if found == nil {
		t.Fatalf("expected an address, found %q, %v", said[:n], err)
	}
	return string(found[1])
}

// askHTTP asks until the answer is the one that is wanted; the time is there to end a
// test that fails.
func askHTTP(t *testing.T, url string, want int) (code int, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			text = err.Error()
			continue
		}
		body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if code, text = answer.StatusCode, string(body); code == want || code == http.StatusNotFound {
			return code, text
		}
	}
	return code, text
}

package peer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
)

// Extra is what only one version of the library has.
type Extra struct {
	Library string
	Extend  func(*HostOptions, *plugin.ClientConfig) error
	Steps   map[string]func(*Run) error
}

// Result is printed on standard output when all is done.
type Result struct {
	Library   string            `json:"library"`
	Started   bool              `json:"started"`
	Error     string            `json:"error,omitempty"`
	Version   int               `json:"version"`
	Steps     []*StepResult     `json:"steps"`
	StopMs    int64             `json:"stop_ms"`
	Exited    bool              `json:"exited"`
	Status    int               `json:"status"`
	Killed    bool              `json:"killed"`
	Logs      []json.RawMessage `json:"logs"`
	Stdout    []byte            `json:"stdout"`
	Stderr    []byte            `json:"stderr"`
	RawStderr []byte            `json:"raw_stderr"`
}

// StepResult is what came of one step.
type StepResult struct {
	Name   string            `json:"name"`
	Error  string            `json:"error,omitempty"`
	Code   string            `json:"code,omitempty"`
	Ms     int64             `json:"ms"`
	Values map[string]string `json:"values,omitempty"`
}

// buffer takes bytes from several goroutines.
type buffer struct {
	lock  sync.Mutex
	bytes bytes.Buffer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.bytes.Write(data)
}

func (b *buffer) copy() []byte {
	b.lock.Lock()
	defer b.lock.Unlock()
	return append([]byte{}, b.bytes.Bytes()...)
}

// Host is main of a host.
func Host(extra Extra) {
	result, err := host(extra)
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-host:", err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(2)
	}
}

func host(extra Extra) (*Result, error) {
	options, err := hostOptions()
	if err != nil {
		return nil, err
	}
	run := &Run{options: options, extra: extra, result: &Result{Library: extra.Library}}
	config, err := run.config()
	if err != nil {
		return nil, err
	}
	run.client = plugin.NewClient(config)
	run.perform()
	before := time.Now()
	run.client.Kill()
	run.result.StopMs = time.Since(before).Milliseconds()
	run.collect()
	return run.result, nil
}

func (r *Run) config() (*plugin.ClientConfig, error) {
	handshake, err := r.options.handshake()
	if err != nil {
		return nil, err
	}
	sets, err := r.options.sets(r.extra.Library)
	if err != nil {
		return nil, err
	}
	config := &plugin.ClientConfig{
		HandshakeConfig: handshake, VersionedPlugins: sets, AutoMTLS: r.options.Mtls,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, StartTimeout: r.options.Timeout,
		SyncStdout: &r.stdout, SyncStderr: &r.stderr, Stderr: &r.raw,
		Logger: hclog.New(&hclog.LoggerOptions{
			Name: "host", Level: hclog.Trace, Output: &r.logs, JSONFormat: true,
		}),
	}
	if r.options.cert != "" {
		if config.TLSConfig, err = r.options.tls(); err != nil {
			return nil, err
		}
	}
	if r.options.Reattach != "" {
		config.Reattach, err = reattach(r.options.Reattach)
		for _, set := range sets {
			config.Plugins = set
		}
	} else {
		r.command = exec.Command(r.options.Command[0], r.options.Command[1:]...)
		config.Cmd = r.command
	}
	if err != nil {
		return nil, err
	}
	return config, r.extra.Extend(r.options, config)
}

func reattach(text string) (*plugin.ReattachConfig, error) {
	words := strings.Split(text, ",")
	if len(words) != 3 {
		return nil, errors.New("not NETWORK,ADDRESS,PID: " + text)
	}
	pid, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, err
	}
	var address net.Addr = &net.UnixAddr{Net: words[0], Name: words[1]}
	if words[0] == "tcp" {
		if address, err = net.ResolveTCPAddr("tcp", words[1]); err != nil {
			return nil, err
		}
	}
	return &plugin.ReattachConfig{Protocol: plugin.ProtocolGRPC, Addr: address, Pid: pid}, nil
}

// perform starts the plugin and takes the steps. A step that fails does not end it.
func (r *Run) perform() {
	protocol, err := r.client.Client()
	if err != nil {
		r.result.Error = err.Error()
		return
	}
	r.protocol, r.result.Started = protocol, true
	r.result.Version = r.client.NegotiatedVersion()
	raw, err := protocol.Dispense(Name)
	if err != nil {
		r.result.Error = err.Error()
		return
	}
	r.peer = raw.(*Client)
	for _, step := range r.options.Steps {
		r.step(step)
	}
}

func (r *Run) collect() {
	result := r.result
	result.Exited = r.client.Exited()
	result.Stdout, result.Stderr, result.RawStderr = r.stdout.copy(), r.stderr.copy(), r.raw.copy()
	for _, line := range bytes.Split(r.logs.copy(), []byte("\n")) {
		if json.Valid(line) {
			result.Logs = append(result.Logs, line)
			result.Killed = result.Killed || bytes.Contains(line, []byte("plugin failed to exit gracefully"))
		}
	}
	if r.command != nil && r.command.ProcessState != nil {
		result.Status = r.command.ProcessState.ExitCode()
	}
}

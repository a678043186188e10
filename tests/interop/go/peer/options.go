package peer

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	plugin "github.com/hashicorp/go-plugin"
)

// Name is under which the service is dispensed.
const Name = "peer"

// common are the arguments that host and plugin share.
type common struct {
	cookie   string
	versions string
	cert     string
	key      string
	trust    string
}

func (c *common) flags(f *flag.FlagSet) {
	f.StringVar(&c.cookie, "cookie", "INTEROP_PLUGIN=a plugin of the interop tests", "KEY=VALUE")
	f.StringVar(&c.versions, "versions", "1", "application versions, joined by commas")
	f.StringVar(&c.cert, "cert", "", "own certificate (PEM), for TLS without AutoMTLS")
	f.StringVar(&c.key, "key", "", "its key (PEM)")
	f.StringVar(&c.trust, "trust", "", "certificate (PEM) that the other side must show")
}

func (c *common) handshake() (plugin.HandshakeConfig, error) {
	key, value, found := strings.Cut(c.cookie, "=")
	if !found {
		return plugin.HandshakeConfig{}, fmt.Errorf("no KEY=VALUE: %q", c.cookie)
	}
	return plugin.HandshakeConfig{MagicCookieKey: key, MagicCookieValue: value}, nil
}

// sets is one plugin set for each version.
func (c *common) sets(library string) (map[int]plugin.PluginSet, error) {
	sets := map[int]plugin.PluginSet{}
	for _, word := range strings.Split(c.versions, ",") {
		version, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		sets[version] = plugin.PluginSet{Name: &Kind{version: version, library: library}}
	}
	if len(sets) == 0 {
		return nil, errors.New("no versions")
	}
	return sets, nil
}

// HostOptions are the host's arguments.
type HostOptions struct {
	common
	Mtls     bool
	Mux      bool
	SkipEnv  bool
	Group    string
	Timeout  time.Duration
	Steps    []string
	Command  []string
	Reattach string
	Test     bool
	steps    string
}

func hostOptions() (*HostOptions, error) {
	o := &HostOptions{}
	f := flag.NewFlagSet("go-host", flag.ContinueOnError)
	o.common.flags(f)
	f.BoolVar(&o.Mtls, "mtls", false, "AutoMTLS")
	f.BoolVar(&o.Mux, "mux", false, "broker multiplexing")
	f.BoolVar(&o.Test, "test", false, "the plugin to reattach to is under test")
	f.BoolVar(&o.SkipEnv, "skip-env", false, "give the plugin none of the host's variables")
	f.StringVar(&o.Group, "group", "", "group of the plugin's sockets")
	f.DurationVar(&o.Timeout, "timeout", 20*time.Second, "for the start and for each step")
	f.StringVar(&o.steps, "steps", "echo", "what to do, joined by commas")
	f.StringVar(&o.Reattach, "reattach", "", "NETWORK,ADDRESS,PID of a plugin that runs already")
	if err := f.Parse(os.Args[1:]); err != nil {
		return nil, err
	}
	o.Steps = strings.Split(o.steps, ",")
	o.Command = f.Args()
	if len(o.Command) == 0 && o.Reattach == "" {
		return nil, errors.New("usage: go-host [FLAGS] PROGRAM [ARGUMENTS]")
	}
	return o, nil
}

// PluginOptions are the plugin's arguments.
type PluginOptions struct {
	common
	Cleanup string
	Limit   int
	Test    bool
	plain   bool
}

func pluginOptions() (*PluginOptions, error) {
	o := &PluginOptions{}
	f := flag.NewFlagSet("go-plugin", flag.ContinueOnError)
	o.common.flags(f)
	f.StringVar(&o.Cleanup, "cleanup", "", "file that is written when main ends in order")
	f.IntVar(&o.Limit, "limit", 0, "largest request; 0 is the library's")
	f.BoolVar(&o.Test, "test", false, "debug mode: prints how to reattach, as JSON")
	f.BoolVar(&o.plain, "plain-version", false, "the one version as the library's older setting")
	if err := f.Parse(os.Args[1:]); err != nil {
		return nil, err
	}
	return o, nil
}

// Sorted sorts in place.
func Sorted(words []string) []string {
	sort.Strings(words)
	return words
}

// A plugin of wharf: a manifest, and what answers for each of its components.

package wharf

import (
	"log/slog"
	"os"
	"time"

	"google.golang.org/grpc"
)

// What a cancelled call gets to end by itself before it is left behind: the host waits two seconds.
const defaultGrace = 1200 * time.Millisecond

// Plugin is a plugin: its manifest, and what answers for each of the manifest's components. Its methods change it and give
// it back.
//
// The manifest is the one truth about what the plugin is and offers: Plugin.Describe is derived from it, and a component
// without an answer, or an answer without a component, is told at start and in every test.
type Plugin struct {
	written    string
	types      []string
	roles      map[string]role
	migrations Migrations
	hooks      Hooks
	grace      time.Duration
	level      slog.Level
	stdout     *os.File
}

// New is a plugin with this manifest: the text of plugin.json, embedded. Make it the first thing in main: whatever is
// printed from here on stays out of the handshake.
func New(manifest string) *Plugin {
	return &Plugin{written: manifest, roles: map[string]role{}, grace: defaultGrace, level: slog.LevelDebug, stdout: reserveStdout()}
}

// Importer answers for an importer component.
func (p *Plugin) Importer(id string, importer Importer) *Plugin {
	p.roles[id] = role{importer: importer}
	return p
}

// Distributor answers for a distributor component.
func (p *Plugin) Distributor(id string, distributor Distributor) *Plugin {
	p.roles[id] = role{distributor: distributor}
	return p
}

// Builder answers for a builder component.
func (p *Plugin) Builder(id string, builder Builder) *Plugin {
	p.roles[id] = role{builder: builder}
	return p
}

// Action answers for an action component.
func (p *Plugin) Action(id string, action Action) *Plugin {
	p.roles[id] = role{action: action}
	return p
}

// Types is the text of a file of type definitions that the manifest names, embedded. Optional: with it, Describe names
// the types too, and the test harness holds units against them.
func (p *Plugin) Types(document string) *Plugin {
	p.types = append(p.types, document)
	return p
}

// Migrations runs the migrations that the manifest names.
func (p *Plugin) Migrations(migrations Migrations) *Plugin {
	p.migrations = migrations
	return p
}

// Hooks answers for the hooks that components of the manifest subscribe to.
func (p *Plugin) Hooks(hooks Hooks) *Plugin {
	p.hooks = hooks
	return p
}

// LogLevel is the lowest level of log/slog that goes to the host; debug without this.
func (p *Plugin) LogLevel(level slog.Level) *Plugin {
	p.level = level
	return p
}

// Grace is what a cancelled call gets to end by itself before it is left behind; 1.2 seconds without this.
func (p *Plugin) Grace(grace time.Duration) *Plugin {
	p.grace = grace
	return p
}

// registry holds components and manifest against each other.
func (p *Plugin) registry() (*registry, error) {
	read, err := readManifest(p.written, p.types)
	if err != nil {
		return nil, err
	}
	if err := read.agrees(p.roles, p.migrations != nil, p.hooks != nil); err != nil {
		return nil, err
	}
	return &registry{manifest: read, roles: p.roles, migrations: p.migrations, hooks: p.hooks}, nil
}

// InProcess is a plugin on a server of somebody else's, without a process of its own. Test harnesses use it; programs call
// [Plugin.Serve].
type InProcess struct {
	// Types are those that [Plugin.Types] gave.
	Types []Type
	calls *calls
}

// Register offers the plugin's services on this server, with this connection in place of the one to the host.
func (p *Plugin) Register(on grpc.ServiceRegistrar, toHost grpc.ClientConnInterface) (*InProcess, error) {
	registry, err := p.registry()
	if err != nil {
		return nil, err
	}
	calls := newCalls(&dialer{ready: toHost}, p.grace)
	(&server{registry: registry, calls: calls}).register(on)
	return &InProcess{Types: registry.manifest.typesOfUnits, calls: calls}, nil
}

// Stop asks the plugin to stop, as a host's Shutdown does: running calls are cancelled, new ones refused. It waits for the
// running ones, but no longer than the grace time.
func (i *InProcess) Stop() { i.calls.end() }

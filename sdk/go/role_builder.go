// Making content from a recipe.

package wharf

import "wharf.invalid/wharf/wire"

// Builder makes content from a recipe. Embed [BuilderBase].
type Builder interface {
	Component
	// Build makes one unit of one stage: [Context.Unit] with a staged file.
	Build(ctx *Context, request *BuildRequest) (*Done, error)
}

// BuilderBase answers "not offered" to every call that a builder does not write.
type BuilderBase struct{ ComponentBase }

// Build is not offered.
func (BuilderBase) Build(*Context, *BuildRequest) (*Done, error) { return nil, NotOffered("build") }

// Stage says what is to be made.
type Stage int

// The stages of a build.
const (
	// StageBase is the base.
	StageBase = Stage(wire.Stage_STAGE_BASE)
	// StageTarget is what is made of the base, for one target.
	StageTarget = Stage(wire.Stage_STAGE_TARGET)
	// StageSnapshot is made on a provider.
	StageSnapshot = Stage(wire.Stage_STAGE_SNAPSHOT)
)

// Target is what is built for. An empty field is "any".
type Target struct{ Name, Version, Architecture string }

// BuildRequest is what Build works with.
type BuildRequest struct {
	// Instance is the instance.
	Instance Instance
	// Stage is which stage to make.
	Stage Stage
	// TemplateType is the recipe's media type, and Template the recipe.
	TemplateType string
	Template     []byte
	// Target is what is built for.
	Target Target
	// Parent is the unit of the stage before, its files staged below [Context.WorkDir], the call's own to change; nil: none.
	Parent *Unit
	// ParametersText is a JSON object.
	ParametersText string
	// Contributions are what hooks and earlier steps gave, in order.
	Contributions []Contribution
	// Provider is the provider that a snapshot is made on; nil: none.
	Provider *Instance
}

// Parameters reads the parameters into the author's own type. A usage error says what does not fit.
func (r *BuildRequest) Parameters(into any) error {
	return fromObject("the parameters", r.ParametersText, into)
}

func buildFromWire(sent *wire.BuildRequest) *BuildRequest {
	target := sent.GetTarget()
	read := &BuildRequest{
		Instance: instanceFromWire(sent.Instance), Stage: Stage(sent.Stage),
		TemplateType: sent.GetTemplate().GetMediaType(), Template: sent.GetTemplate().GetContent(),
		Target:         Target{Name: target.GetName(), Version: target.GetVersion(), Architecture: target.GetArchitecture()},
		ParametersText: sent.Parameters, Contributions: contributionsFromWire(sent.Contributions),
	}
	if sent.Parent != nil {
		read.Parent = unitFromWire(sent.Parent)
	}
	if sent.Provider != nil {
		provider := instanceFromWire(sent.Provider)
		read.Provider = &provider
	}
	return read
}

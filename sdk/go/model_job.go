// Other jobs that a plugin asks for, and what it gives to later steps of a build.

package wharf

import (
	"errors"

	"wharf.invalid/wharf/wire"
)

// Job is a job to be done. Its methods change it and give it back; what went wrong in one of them is told where the job is
// handed over.
type Job struct {
	wire *wire.JobSpec
	err  error
}

// NewJob is a job of this operation: sync, publish, unpublish, build, run.
func NewJob(operation string) *Job {
	return &Job{wire: &wire.JobSpec{Operation: text(operation)}}
}

// Arguments are a struct or map.
func (j *Job) Arguments(arguments any) *Job {
	written, err := toObject("the job's arguments", arguments)
	j.wire.Arguments, j.err = written, errors.Join(j.err, err)
	return j
}

// Name is what people read.
func (j *Job) Name(name string) *Job {
	j.wire.Name = text(name)
	return j
}

// Queue is the queue that it waits in.
func (j *Job) Queue(name string) *Job {
	j.wire.Queue = text(name)
	return j
}

// Weight is its part of what the host does at once.
func (j *Job) Weight(weight uint32) *Job {
	j.wire.Weight = weight
	return j
}

// Priority is greater for what is to be done first.
func (j *Job) Priority(priority int32) *Job {
	j.wire.Priority = priority
	return j
}

// After are places in the same list of jobs that must succeed first.
func (j *Job) After(places ...uint32) *Job {
	j.wire.After = places
	return j
}

// DuplicateKey: of two jobs with the same one, one is enough.
func (j *Job) DuplicateKey(key string) *Job {
	j.wire.DuplicateKey = text(key)
	return j
}

// SpaceBytes is the space that it needs while it runs.
func (j *Job) SpaceBytes(bytes uint64) *Job {
	j.wire.SpaceBytes = bytes
	return j
}

// Contribution is something given to a later step of another component in the same build.
type Contribution struct {
	// Kind is file, command or argument.
	Kind string
	// Name is the path or the argument's name.
	Name string
	// Content is the bytes.
	Content []byte
	// Order: those of a step are taken in ascending order.
	Order int32
}

// Wire is the message that the contribution is, for tests.
func (c Contribution) Wire() *wire.Contribution {
	return &wire.Contribution{Kind: text(c.Kind), Name: text(c.Name), Content: c.Content, Order: c.Order}
}

func contributionsFromWire(sent []*wire.Contribution) []Contribution {
	contributions := make([]Contribution, len(sent))
	for i, given := range sent {
		contributions[i] = Contribution{
			Kind: given.Kind, Name: given.Name, Content: given.Content, Order: given.Order,
		}
	}
	return contributions
}

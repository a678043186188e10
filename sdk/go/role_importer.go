// Bringing content in.

package wharf

import "wharf.invalid/wharf/wire"

// Importer brings content in. Offer Sync (the plugin drives), or List and Fetch (the host drives). Embed [ImporterBase]
// and write only the methods that the manifest's operations name.
type Importer interface {
	Component
	// Sync reads upstream and declares what the new version contains: [Context.Unit], [Context.Keep], [Context.Remove].
	Sync(ctx *Context, request *SyncRequest) (*Done, error)
	// List says what upstream holds, with revisions: [Context.Listed].
	List(ctx *Context, request *ListRequest) (*Done, error)
	// Fetch hands out one listed item's bytes: [Context.Chunk], [Context.Source] or [Context.Staged].
	Fetch(ctx *Context, request *FetchRequest) (*Done, error)
	// Upload makes units of files that a user brought: [Context.Unit].
	Upload(ctx *Context, request *UploadRequest) (*Done, error)
	// Resolve names the units of a version that others depend on: [Context.Resolved].
	Resolve(ctx *Context, request *ResolveRequest) (*Done, error)
}

// ImporterBase answers "not offered" to every call that an importer does not write.
type ImporterBase struct{ ComponentBase }

// Sync is not offered.
func (ImporterBase) Sync(*Context, *SyncRequest) (*Done, error) { return nil, NotOffered("sync") }

// List is not offered.
func (ImporterBase) List(*Context, *ListRequest) (*Done, error) { return nil, NotOffered("list") }

// Fetch is not offered.
func (ImporterBase) Fetch(*Context, *FetchRequest) (*Done, error) { return nil, NotOffered("fetch") }

// Upload is not offered.
func (ImporterBase) Upload(*Context, *UploadRequest) (*Done, error) { return nil, NotOffered("upload") }

// Resolve is not offered.
func (ImporterBase) Resolve(*Context, *ResolveRequest) (*Done, error) {
	return nil, NotOffered("resolve")
}

// Mode says what a new version is made of.
type Mode int

// The modes of a sync.
const (
	// Mirror means that the new version is exactly what the plugin declares and keeps.
	Mirror = Mode(wire.Mode_MODE_MIRROR)
	// Additive means that the new version is the base version plus what the plugin declares, less what it removes.
	Additive = Mode(wire.Mode_MODE_ADDITIVE)
)

// Policy says when the host fetches bytes.
type Policy int

// The policies.
const (
	// Immediate means that bytes are fetched by the job.
	Immediate = Policy(wire.Policy_POLICY_IMMEDIATE)
	// OnDemand means that bytes are fetched when a client first asks, and kept.
	OnDemand = Policy(wire.Policy_POLICY_ON_DEMAND)
	// Streamed means that bytes are fetched whenever a client asks, and not kept.
	Streamed = Policy(wire.Policy_POLICY_STREAMED)
)

// LastSync is the last sync of the same attachment that finished.
type LastSync struct {
	// FinishedMs is in milliseconds since 1970.
	FinishedMs int64
	// Version is the version that it made or confirmed.
	Version uint64
	// Outcome is "succeeded" or "partial".
	Outcome string
}

// SyncRequest is what Sync works with.
type SyncRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// BaseVersion is the version that the new one is compared with; 0 is the empty one.
	BaseVersion uint64
	// BaseUnits is how many units the base version has.
	BaseUnits uint64
	// Mode says whether the new version is exactly what is declared, or the base plus that.
	Mode Mode
	// Policy says when the host fetches bytes.
	Policy Policy
	// DryRun means that nothing will be stored. Declare as always.
	DryRun bool
	// Full means that upstream's own shortcuts ("unchanged since") must not be used.
	Full bool
	// FullReasons says why: "asked", "first", "settings", "content", "policy", "incomplete", "integrity".
	FullReasons []string
	// Last is nil if there was none.
	Last *LastSync
	// Only these items; empty means all.
	Only []string
	// Checkpoint is what an earlier attempt of this job left by [Context.Checkpoint].
	Checkpoint []byte
}

func syncFromWire(sent *wire.SyncRequest) *SyncRequest {
	read := &SyncRequest{
		Attachment: attachmentFromWire(sent.Attachment), BaseVersion: sent.BaseVersion, BaseUnits: sent.BaseUnits,
		Mode: Mode(sent.Mode), Policy: Policy(sent.Policy), DryRun: sent.DryRun, Full: sent.Full,
		FullReasons: sent.FullReasons, Only: sent.Only, Checkpoint: sent.Checkpoint,
	}
	if last := sent.Last; last != nil {
		read.Last = &LastSync{FinishedMs: last.FinishedMs, Version: last.Version, Outcome: last.Outcome}
	}
	return read
}

// ListRequest is what List works with.
type ListRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Cursor is where an earlier listing left off; empty: from the start.
	Cursor string
	// Only these items; empty means all.
	Only []string
}

// FetchRequest is what Fetch works with.
type FetchRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Unit is the item as it was listed, with its one file.
	Unit *Unit
	// Revision is the revision that it was listed with.
	Revision string
	// Offset is the first byte wanted.
	Offset uint64
}

// UploadRequest is what Upload works with.
type UploadRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Kind is the type's id; empty: the plugin finds out.
	Kind string
	// KeyText is a JSON object; may be empty.
	KeyText string
	// AttributesText is a JSON object; may be empty.
	AttributesText string
	// Files are staged below [Context.WorkDir], with size and digests.
	Files []*File
}

// Key reads what the user said of the key into the author's own type; nothing said is an empty object.
func (r *UploadRequest) Key(into any) error {
	return fromObject("the key", r.KeyText, into)
}

// Attributes reads what else the user said into the author's own type; nothing said is an empty object. What a form said
// that was sent from outside is below "form": each field's text, or a list of texts.
func (r *UploadRequest) Attributes(into any) error {
	return fromObject("the attributes", r.AttributesText, into)
}

// ResolveRequest is what Resolve works with.
type ResolveRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Version is the version to look in.
	Version uint64
	// Units are those whose dependencies are asked for.
	Units []*UnitRef
	// OptionsText is a JSON object.
	OptionsText string
}

// Options reads the options into the author's own type. A usage error says what does not fit.
func (r *ResolveRequest) Options(into any) error {
	return fromObject("the options", r.OptionsText, into)
}

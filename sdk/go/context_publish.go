// What distributors tell: the files of a publication.

package wharf

import "wharf.invalid/wharf/wire"

// File is a file of the publication.
func (c *Context) File(file *PublishedFile) error {
	return add(c, &c.call.batches.files, file.wire, file.err)
}

// PassThrough publishes every file of every unit of the published version, at its own path below a prefix, which may be
// empty. Only units of these types; none means all.
func (c *Context) PassThrough(prefix string, kinds ...string) error {
	pass := &wire.PassThrough{Prefix: prefix, Types: kinds}
	return c.send(&wire.Event{Event: &wire.Event_PassThrough{PassThrough: pass}})
}

// Reuse takes over the entries of the previous publication below a prefix unchanged.
func (c *Context) Reuse(publication uint64, prefix string) error {
	reuse := &wire.Reuse{Publication: publication, Prefix: prefix}
	return c.send(&wire.Event{Event: &wire.Event_Reuse{Reuse: reuse}})
}

// Alias is a second name of a published path, with the same bytes.
func (c *Context) Alias(path, target string) error {
	return add(c, &c.call.batches.aliases, &wire.Alias{Path: path, Target: target}, checkText("an alias", path+target))
}

// Redirect is a second name of a published path, answered with a redirect.
func (c *Context) Redirect(path, target string) error {
	alias := &wire.Alias{Path: path, Target: target, Redirect: true}
	return add(c, &c.call.batches.aliases, alias, checkText("a redirect", path+target))
}

// Variant is a representation of a path that has several; the host chooses by what the client accepts. Path: a folder of
// the tree with a slash at its end, or a path without a file of its own. Target: a published file. MediaType: sent as it
// is. Also: other media types under which clients ask for it. The first variant told is sent to whoever likes several
// equally.
func (c *Context) Variant(path, target, mediaType string, also ...string) error {
	variant := &wire.Variant{Path: path, Target: target, MediaType: mediaType, Also: also}
	return add(c, &c.call.batches.variants, variant, checkText("a variant", path+target))
}

// EncodedVariant is a published file that is a variant of path in an encoding, gzip: clients that accept it get this in
// place of the variant of the same media type that is not encoded.
func (c *Context) EncodedVariant(path, target, mediaType, encoding string) error {
	variant := &wire.Variant{Path: path, Target: target, MediaType: mediaType, Encoding: encoding}
	return add(c, &c.call.batches.variants, variant, checkText("a variant", path+target))
}

// Changing stored data when a newer version of the plugin needs that.

package wharf

// Migrations runs the migrations that the manifest names.
//
// wharf calls it once for each number that was not run yet, in order. [Context.Units] gives all units of the plugin's
// types, whoever holds them, as they were before the migration; [Context.Unit] sends one back changed, as
// [ExistingUnit] with the id it came with. What is left empty stays as it is, and so does every unit that is not sent.
// Nothing of it counts unless the method ends well: an error, a crash or a cancel leaves all units as they were, and the
// same number is run again later. Units that are as they should be already are no error: an empty store is met too.
type Migrations interface {
	Migrate(ctx *Context, migration *Migration) (*Done, error)
}

// Migration is the one to run.
type Migration struct {
	// Number is its number in the manifest.
	Number uint32
	// Name is what the manifest calls it.
	Name string
	// DryRun means that wharf will store nothing; whatever the plugin changes elsewhere must stay too.
	DryRun bool
}

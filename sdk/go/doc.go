// Package wharf is everything that a wharf plugin in Go needs: roles, a context for each call, one [Plugin.Serve]. The
// harness for tests without a process is package wharftest.
//
// A plugin is a program that wharf starts. It announces a private socket with one line on standard output and answers
// calls there, over mutual TLS, until it is told to stop. HashiCorp's go-plugin does that underneath; none of it is the
// author's business:
//
//	//go:embed plugin.json
//	var manifest string
//
//	type greetings struct{ wharf.ImporterBase }
//
//	func (greetings) Sync(ctx *wharf.Context, request *wharf.SyncRequest) (*wharf.Done, error) {
//		unit := wharf.NewUnit("greeting").KeyJSON(`{"text":"hello"}`)
//		if err := ctx.Unit(unit); err != nil {
//			return nil, err
//		}
//		return wharf.Changed().Announced(1), nil
//	}
//
//	func main() {
//		os.Exit(wharf.New(manifest).Importer("importer", greetings{}).Serve())
//	}
//
// The files are named by chapter: role_* say what an author writes; context_* what a running call can tell the host and
// ask of it; model_* what goes over; host_* the host's answers; serve_* the program around it all. A plugin never opens
// the host's database and never learns a path outside its job.
package wharf

// Who answers for which component.

package wharf

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wharf.invalid/wharf/wire"
)

// role is an answer for one component; the one of its role is set.
type role struct {
	importer    Importer
	distributor Distributor
	builder     Builder
	action      Action
}

func (r role) name() string {
	switch {
	case r.importer != nil:
		return "importer"
	case r.distributor != nil:
		return "distributor"
	case r.builder != nil:
		return "builder"
	default:
		return "action"
	}
}

func (r role) component() Component {
	switch {
	case r.importer != nil:
		return r.importer
	case r.distributor != nil:
		return r.distributor
	case r.builder != nil:
		return r.builder
	default:
		return r.action
	}
}

// registry is the manifest and the answers for its components.
type registry struct {
	manifest   *manifest
	roles      map[string]role
	migrations Migrations
	hooks      Hooks
}

// component finds who answers for a component, if it has this role; with an empty role, whatever it has.
func (r *registry) component(id, wanted string) (role, error) {
	found, is := r.roles[id]
	if !is {
		return role{}, status.Errorf(codes.NotFound, "plugin %s has no component %q", r.manifest.Name, id)
	}
	if wanted != "" && found.name() != wanted {
		return role{}, status.Errorf(codes.Unimplemented, "component %q has role %s, not %s", id, found.name(), wanted)
	}
	return found, nil
}

func (r *registry) has(name string) bool {
	for _, role := range r.roles {
		if role.name() == name {
			return true
		}
	}
	return false
}

// migration is the migration of this number, and who runs it.
func (r *registry) migration(request *wire.MigrateRequest) (*Migration, error) {
	for _, named := range r.manifest.Migrations {
		if named.Number == request.Number {
			return &Migration{Number: named.Number, Name: named.Name, DryRun: request.DryRun}, nil
		}
	}
	message := fmt.Sprintf("plugin %s has no migration %d", r.manifest.Name, request.Number)
	return nil, status.Error(codes.NotFound, message)
}

// componentOf is the component that an attachment is of.
func componentOf(attachment *wire.Attachment) string {
	return attachment.GetInstance().GetComponent()
}

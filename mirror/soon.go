package mirror

import "time"

// How long before its expiry a role is said to expire soon, at most: machines make
// the timestamp and the snapshot anew, which they do in time or not at all; for the
// root and the targets people have to come together with their keys.
const (
	soonByMachine = 3 * 24 * time.Hour
	soonByPeople  = 14 * 24 * time.Hour
)

// soonOf is from when on a role expires soon: once less than a quarter is left of the
// time that its version had when it was first published here, and no more than the
// bounds above; of the root always by the bound, as that is needed however late a
// mirror begins to follow it. It is the one rule: the status page, status, the metrics
// and by them the alerts tell what comes of it.
func soonOf(role RoleVersion, since time.Time) time.Time {
	quarter := max(0, role.Expires.Sub(since)/4)
	switch role.Role {
	case "root":
		return role.Expires.Add(-soonByPeople)
	case "targets":
		return role.Expires.Add(-min(quarter, soonByPeople))
	}
	return role.Expires.Add(-min(quarter, soonByMachine))
}

// ExpiresSoon reports whether the role expires soon, or has. Of one that has no Soon
// it is not known, and false.
func (r RoleVersion) ExpiresSoon(now time.Time) bool { return !r.Soon.IsZero() && !now.Before(r.Soon) }

// age notes since when each version of a role is published here: those of the
// generation before keep their time.
func (g *generation) age(old *generation) {
	g.Since = map[string]time.Time{}
	for _, role := range g.Roles {
		g.Since[role.Role] = g.Made
		if old != nil && old.role(role.Role).Version == role.Version {
			g.Since[role.Role] = old.since(role.Role)
		}
	}
}

// since is since when the version of a role is published here. A generation that was
// written before this was noted knows of itself alone.
func (g *generation) since(role string) time.Time {
	if t, known := g.Since[role]; known {
		return t
	}
	return g.Made
}

// standing are the roles, with from when on they expire soon.
func (g *generation) standing() []RoleVersion {
	list := make([]RoleVersion, 0, len(g.Roles))
	for _, role := range g.Roles {
		role.Soon = soonOf(role, g.since(role.Role)).UTC()
		list = append(list, role)
	}
	return list
}

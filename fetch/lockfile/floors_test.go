package lockfile

import (
	"errors"
	"maps"
	"reflect"
	"testing"
)

func TestBelow(t *testing.T) {
	locked := Repository{
		Name: "acme", Root: 3, RootSHA256: sum("acme root"),
		Floors: map[string]int64{"timestamp": 50, "snapshot": 40, "targets": 5, "hello": 7, "channel-stable": 9},
	}
	same := Seen{Root: 3, Roles: locked.Floors}
	with := func(seen Seen, changed map[string]int64) Seen {
		seen.Roles = maps.Clone(seen.Roles)
		for role, version := range changed {
			seen.Roles[role] = version
			if version == 0 {
				delete(seen.Roles, role)
			}
		}
		return seen
	}
	old := map[string]int64{"timestamp": 1, "snapshot": 1, "targets": 1, "hello": 1, "channel-stable": 0}
	everything := []Floor{{"timestamp", 50, 1}, {"snapshot", 40, 1}, {"targets", 5, 1}, {"channel-stable", 9, 0}, {"hello", 7, 1}}
	for name, test := range map[string]struct {
		seen Seen
		want []Floor
	}{
		"the same":              {same, nil},
		"later":                 {with(Seen{Root: 9, Roles: locked.Floors}, map[string]int64{"timestamp": 51, "hello": 8, "new": 1}), nil},
		"an old timestamp":      {with(same, map[string]int64{"timestamp": 49}), []Floor{{"timestamp", 50, 49}}},
		"an old snapshot":       {with(same, map[string]int64{"snapshot": 39}), []Floor{{"snapshot", 40, 39}}},
		"old targets":           {with(same, map[string]int64{"targets": 4}), []Floor{{"targets", 5, 4}}},
		"an old delegated role": {with(same, map[string]int64{"hello": 6}), []Floor{{"hello", 7, 6}}},
		"one that is gone":      {with(same, map[string]int64{"channel-stable": 0}), []Floor{{"channel-stable", 9, 0}}},
		"an old root":           {Seen{Root: 2, Roles: locked.Floors}, []Floor{{"root", 3, 2}}},
		"all of it":             {with(same, old), everything},
		"nothing":               {Seen{}, []Floor{{"root", 3, 0}, {"timestamp", 50, 0}, {"snapshot", 40, 0}, {"targets", 5, 0}, {"channel-stable", 9, 0}, {"hello", 7, 0}}},

		"new timestamp keys": {with(Seen{Root: 4, Roles: locked.Floors, NewTimestampKeys: true}, old), everything[1:]},
		"new snapshot keys":  {with(Seen{Root: 4, Roles: locked.Floors, NewSnapshotKeys: true}, old), everything[:1]},
		"new keys for both":  {with(Seen{Root: 4, Roles: locked.Floors, NewTimestampKeys: true, NewSnapshotKeys: true}, old), nil},
		// Without a later root there are no new keys, whoever says so.
		"new keys of the same root": {with(Seen{Root: 3, Roles: locked.Floors, NewTimestampKeys: true, NewSnapshotKeys: true}, old), everything},
	} {
		before := maps.Clone(test.seen.Roles)
		if got := locked.Below(test.seen); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: expected %v, found %v", name, test.want, got)
		}
		if !reflect.DeepEqual(before, test.seen.Roles) {
			t.Errorf("%s: expected what was seen as it was, found %v", name, test.seen.Roles)
		}
	}
}

// The highest floor that there can be makes its own lock useless, and nothing else.
func TestForgedFloor(t *testing.T) {
	forged := Repository{Root: 3, Floors: map[string]int64{"timestamp": 1<<63 - 1, "snapshot": 1, "targets": 1}}
	seen := Seen{Root: 3, Roles: map[string]int64{"timestamp": 7, "snapshot": 7, "targets": 7}}
	if got := forged.Below(seen); !reflect.DeepEqual(got, []Floor{{"timestamp", 1<<63 - 1, 7}}) {
		t.Errorf("found %v", got)
	}
	if got := (Repository{Root: 3, Floors: map[string]int64{"timestamp": 7, "snapshot": 7, "targets": 7}}).Below(seen); got != nil {
		t.Errorf("expected nothing of the forged floor to be left, found %v", got)
	}
}

func TestCheckRoot(t *testing.T) {
	locked := Repository{Name: "acme", Root: 3, RootSHA256: sum("acme root")}
	if err := locked.CheckRoot(sum("acme root")); err != nil {
		t.Error(err)
	}
	want := "assay.lock: lock file is for another repository: repository acme: expected root 3, " + sum("acme root").String() + ", found " + sum("other").String()
	if err := locked.CheckRoot(sum("other")); !errors.Is(err, ErrForeign) || errors.Is(err, ErrMalformed) || err.Error() != want {
		t.Errorf("expected %s, found %v", want, err)
	}
}

package main

import (
	"assay/internal/boltfile"
	"assay/internal/plaintar"
	"assay/mirror"
	"assay/mirror/airgap"
	"assay/mirror/backup"
)

// causesOfGaps: what is carried from one mirror to another, in files.
func causesOfGaps() []cause {
	const lacking = "bring those exports first; or have one made without --since, or by what `assay mirror inventory` writes here"
	return []cause{
		{backup.ErrOther, 2, "name a file that does not exist yet, or move what is there away"},
		{airgap.ErrWaiting, 21, "`assay mirror import` takes them when they have come, too; those that came are kept"},
		{airgap.ErrLacking, 21, lacking},
		{mirror.ErrNotWhole, 21, "give the upstream the same filter here as where it was exported, or a narrower one; " + lacking},
		{mirror.ErrLeftOut, 20, "it is in quarantine where it was exported; the rest is served"},
		{airgap.ErrNothing, 21, "`assay mirror import FILE…` takes what another mirror exported"},
		{airgap.ErrForeign, 2, "name what belongs together"},
		{airgap.ErrUnfit, 2, ""},
		{airgap.ErrNewer, 41, hintNewer},
		{airgap.ErrVolume, 13, "have it copied or made anew, and compare its digest where it came from"},
		{plaintar.ErrForm, 13, "have it copied or made anew, and compare its digest where it came from"},
		{airgap.ErrBusy, 31, hintBusy},
		{airgap.ErrNoRoom, 40, "make room on the device of mirror.dir, or have it exported in smaller volumes"},
		{backup.ErrNotEmpty, 2, "name a folder that does not exist yet, or move what is there away"},
		{backup.ErrBusy, 31, hintBusy},
		{backup.ErrUnfinished, 41, "give the same backup to `assay mirror restore` again: it begins anew"},
		{backup.ErrNewer, 41, hintNewer},
		{backup.ErrBackup, 13, "take another backup, or another copy of it"},
		{boltfile.ErrBusy, 31, hintBusy},
		{boltfile.ErrDamaged, 41, "`assay doctor` tells more of it"},
		{backup.ErrDisk, 40, "check the free space and the permissions of the folders"},
		{airgap.ErrDisk, 40, "check the free space and the permissions of the folders"},
	}
}

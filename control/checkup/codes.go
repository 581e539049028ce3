package checkup

// Severity of a finding.
type Severity string

// The severities.
const (
	Info    Severity = "info"    // it heals by itself, or only somebody should know
	Warning Severity = "warning" // nothing fails now; something is left over, or will be in the way
	Error   Severity = "error"   // a tenant, or every move, suffers
)

// How a finding is repaired.
type how string

const (
	byItself  how = "itself"
	byFix     how = "doctor"
	byNaming  how = "doctor, by naming"
	byPersons how = "hand"
)

// Kind is a kind of finding. Its code is stable: programs branch on it.
type Kind struct {
	Code     string
	Severity Severity
	What     string
	Harm     string
	Repair   string
	how      how
}

// ByNaming reports whether a finding of the kind is repaired only if its code is named.
func (k Kind) ByNaming() bool { return k.how == byNaming }

// By says who repairs findings of the kind: "itself" (a controller or a proxy does it),
// "doctor", "doctor, by naming", or "hand".
func (k Kind) By() string { return string(k.how) }

// HealsByItself reports whether nobody has to do anything but to let a controller run.
func (k Kind) HealsByItself() bool { return k.how == byItself }

// Kinds are all kinds of findings. docs/doctor.md is made from it.
var Kinds = []Kind{
	// The table: entries.
	{"entry_corrupt", Error, "A tenant's entry cannot be decoded.",
		"Every request of the tenant is refused with 503, and it cannot be moved.",
		"Put the right value back, from an export or a backup. Or have the record removed, which makes the tenant unknown, and add it again with `sluice tenant add` where its index is.", byNaming},
	{"entry_move_gone", Error, "A tenant is moving, and the move has no record.",
		"Nobody drives the move: in Cutover the tenant's writes are refused, in Draining the proxies keep ids of what it writes, and it cannot be moved.",
		"The record is written anew with an abort requested. A controller then takes the tenant back to its source, loses nothing, and cleans the target.", byFix},
	{"entry_move_ended", Error, "A tenant is moving by a move that has been aborted or has failed.",
		"In Cutover the tenant's writes are refused. A controller that starts puts it right; one that has looked at the move before does not look again.",
		"The entry is taken back to its source by compare-and-swap.", byFix},
	{"flip_lost", Error, "A move has flipped according to its record, and not according to the tenant's entry: the store has lost that, or an old entry was put back.",
		"Requests go to the old copy, which refuses writes since the flip, and shows nothing that was written after it.",
		"If the old copy still refuses writes, and nothing had reached it after the flip, the entry is taken forward to the target by compare-and-swap: no write was acknowledged that is not there. Otherwise somebody has to compare both copies.", byNaming},
	{"previous_move_gone", Warning, "A tenant's old copy was left by a move that has no record.",
		"`sluice moves retire` cannot remove the copy, and its cluster cannot be removed.",
		"The record is written anew from the entry and from the indices that are there; retire the move then. The old copy of a shared index is only forgotten; its documents are found as orphan_documents.", byFix},
	{"entry_cluster_unknown", Error, "An entry names a cluster that is not in the table.",
		"Requests of the tenant fail, or its old copy cannot be retired.",
		"Add the cluster again under that name: `sluice cluster add NAME URL`.", byPersons},
	{"place_taken_twice", Error, "Two tenants live in, move to, or have their old copies in one place.",
		"Each reads and writes the documents of the other.",
		"Find out whose place it is, and take the other away with `sluice tenant remove`, which leaves the documents. Neither can be moved before.", byPersons},
	{"index_missing", Warning, "A tenant's index is not on its cluster.",
		"Its requests are answered with 404.",
		"Create or restore the index, or remove the tenant.", byPersons},

	// The table: moves.
	{"move_corrupt", Error, "A move's record cannot be decoded.",
		"No controller takes up any move or wave.",
		"Put the right value back. Or have the record removed; if its tenant is moving, entry_move_gone is found next, and healed.", byNaming},
	{"move_without_driver", Info, "The session of a move's driver is gone.",
		"The move rests.", "The next controller takes it over.", byItself},
	{"move_without_entry", Info, "A move has begun, and the tenant's entry is not in it any more, or is gone.",
		"What it has made at its target is still there.", "The next controller cleans the target and ends the move.", byItself},
	{"move_cluster_unknown", Error, "A move that has not ended names a cluster that is not in the table.",
		"Its driver can do nothing, not even abort.",
		"Add the cluster again under that name: `sluice cluster add NAME URL`.", byPersons},
	{"retire_waits", Info, "The old copy of a tenant cannot be deleted yet: scrolls or points in time are open on it.",
		"The copy takes room.", "They end with their keep-alive, a day at most; the controller then deletes the copy.", byItself},
	{"no_controller", Warning, "Something waits for a controller, and none is running.",
		"Moves and waves rest, and what heals by itself does not.", "Start `sluice serve` or `sluice controller`.", byPersons},

	{"trash_corrupt", Error, "The record of what a move has left in the trash cannot be decoded.",
		"No tenant can be added or moved: nobody can tell which places are free. What is in the trash is neither deleted nor restored.",
		"Put the right value back. Or have the record removed: the indices that it named stay where they are, closed, and are yours.", byNaming},

	// The table: waves and labels.
	{"wave_corrupt", Error, "A wave's record cannot be decoded.",
		"No wave goes on.", "Put the right value back. Or have the record removed; its items are then found as item_without_wave.", byNaming},
	{"item_corrupt", Error, "The record of a wave's item cannot be decoded.",
		"No wave goes on.", "Put the right value back. Or have the record removed: the tenant is then not moved by the wave.", byNaming},
	{"wave_without_driver", Info, "The session of the controller that worked on a wave is gone.",
		"The wave begins no moves.", "The next controller takes it up.", byItself},
	{"item_without_move", Info, "A wave's item has the id of a move that has no record.",
		"The tenant does not move yet.", "The controller of the wave creates the record under that id, or skips the item if the wave was aborted.", byItself},
	{"item_without_wave", Warning, "Items of a wave have no wave.",
		"They take room, and nobody moves their tenants.",
		"A wave that was aborted is written for them, so that nobody creates it any more, and they are removed.", byFix},
	{"item_not_ended", Warning, "A wave has ended, and an item of it has not.",
		"The wave's numbers are wrong.", "The item is skipped.", byFix},
	{"label_without_tenant", Warning, "There are labels of a tenant that is unknown.",
		"A tenant that is added under that name would have them.", "The labels are removed.", byFix},
	{"label_corrupt", Warning, "A tenant's labels cannot be decoded.",
		"Lists by label and plans of waves fail.", "Put the right value back. Or have the record removed.", byNaming},

	// The table: processes and clusters.
	{"roster_corrupt", Error, "The roster's record of a process cannot be decoded.",
		"No controller can tell who may still write: no move goes on.",
		"If the process has ended longer ago than the drain barrier (30 s), have the record removed.", byNaming},
	{"session_corrupt", Error, "The session of a process cannot be decoded.",
		"No controller can tell what the process has applied: no move goes on.",
		"The record ends with the process: find it by the name, and restart it with the version of the others.", byPersons},
	{"roster_without_session", Info, "A process has vanished without a clean close.",
		"A move that is under way waits for its drain barrier and compares both sides once more.",
		"A controller strikes it off when no move needs it any more.", byItself},
	{"journal_left", Info, "A proxy keeps a journal of a tenant that is not moving.",
		"It takes memory there.", "The proxy drops it as soon as it has applied the end of the move.", byItself},
	{"cluster_corrupt", Error, "The record of a cluster cannot be decoded.",
		"Requests to it fail, and no list of clusters can be had.", "Have the record removed, and add the cluster again with `sluice cluster add`.", byNaming},
	{"cluster_unreachable", Warning, "A cluster does not answer.",
		"What is wrong on it is not known.", "See to the cluster, and look again.", byPersons},

	// On the clusters.
	{"target_left", Warning, "An index is left of a move that was aborted or has failed.",
		"It takes room, and its name is taken.",
		"The move's record goes back to aborting, and a controller removes the index as after any abort.", byFix},
	{"target_unknown", Warning, "An index carries the mark of a move that this table does not know, and no tenant lives there.",
		"It takes room. It may be a half-made copy whose record was lost, or belong to another installation that uses the same cluster.",
		"Make certain that no other installation moves tenants to this cluster. Then have it deleted.", byNaming},
	{"alias_left", Warning, "An index in use carries an alias of a move that has ended.",
		"A mover that was paused for long could still be let in by it.", "The alias is removed, in one step that fails if somebody else has removed it.", byFix},
	{"block_left", Error, "A tenant's index refuses writes by a block that a move has left.",
		"The tenant's writes fail.", "The block is removed.", byFix},
	{"block_foreign", Warning, "A tenant's index refuses writes, and no trace says that Sluice has set the block.",
		"The tenant's writes fail, and it cannot be moved.", "If it is not meant, have it removed.", byNaming},
	{"fence_missing", Warning, "The old copy of a tenant should refuse writes, and does not.",
		"Whoever writes around the proxies writes there, and nobody notices.", "The write block is set.", byFix},
	{"snapshot_left", Warning, "A snapshot repository holds a snapshot of a move that has ended.",
		"It takes room there.",
		"The snapshot is deleted. It must have the move's name, what the move writes into its metadata, and be in the repository that the move's record names.", byFix},
	{"snapshot_unknown", Warning, "A snapshot repository holds a snapshot of a move that this table does not know.",
		"It takes room there. The move's record may have been lost, or the move be another installation's.",
		"Make certain that no other installation moves tenants by this repository. Then delete the snapshot: `DELETE /_snapshot/REPOSITORY/SNAPSHOT`.", byPersons},
	{"repository_unreadable", Warning, "A cluster does not tell what is in the snapshot repository of a move.",
		"What moves have left there is not known, and none copies by snapshot.",
		"See to the repository, or to the rights of Sluice's user, and look again.", byPersons},
	{"orphan_documents", Warning, "A shared index holds documents of a tenant that has no place there.",
		"They take room, and a tenant that is added there under that name would find them.",
		"If nothing needs them, have them deleted. Nothing that is written after the last look is.", byNaming},
}

var kinds = func() map[string]Kind {
	out := map[string]Kind{}
	for _, k := range Kinds {
		out[k.Code] = k
	}
	return out
}()

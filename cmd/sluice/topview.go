package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/sluiceproxy/sluice/control"
)

// A mood is how a text looks. Without colours only what is bold or reversed is left.
type mood string

const (
	moodPlain mood = ""
	moodTitle mood = "1"
	moodBar   mood = "7"
	moodGood  mood = "32"
	moodWarn  mood = "33"
	moodBad   mood = "31"
)

func (m topModel) paint(x mood, text string) string {
	if x == moodPlain || text == "" || !m.color && x != moodTitle && x != moodBar {
		return text
	}
	return "\x1b[" + string(x) + "m" + text + "\x1b[m"
}

// topRow is a row of a list. match is what a filter also finds.
type topRow struct {
	key, match string
	cells      []string
	mood       mood
}

// topColumn is a column of a list. Those with the highest rank go first where there is no
// room.
type topColumn struct {
	title string
	rank  int
	right bool
}

var topColumns = map[topPage][]topColumn{
	pageMoves:    {{"TENANT", 0, false}, {"STAGE", 0, false}, {"DONE", 1, true}, {"RATE", 3, true}, {"LAG", 4, true}, {"PAUSE", 5, true}, {"FROM", 6, false}, {"TO", 2, false}, {"MOVE", 7, false}, {"NOTE", 8, false}},
	pageClusters: {{"CLUSTER", 0, false}, {"TENANTS", 0, true}, {"IN", 3, true}, {"OUT", 4, true}, {"REQUESTS/S", 1, true}, {"FAILED/S", 5, true}, {"MEAN", 2, true}},
	pageWaves:    {{"WAVE", 0, false}, {"STATE", 0, false}, {"DONE", 1, true}, {"MOVING", 2, true}, {"FAILED", 3, true}, {"ENDS IN", 4, true}, {"PLAN", 6, false}, {"REASON", 5, false}},
	pageFleet:    {{"NAME", 0, false}, {"KIND", 0, false}, {"STATE", 1, false}, {"REQUESTS/S", 2, true}, {"HELD", 3, true}, {"PENDING", 5, true}, {"UNRESOLVED", 4, true}, {"NOTE", 6, false}},
	pageEvents:   {{"TIME", 0, false}, {"EVENT", 0, false}},
}

// rows are the rows of a list that the filter finds.
func (m topModel) rows(p topPage) (out []topRow) {
	if m.fleet == nil {
		return nil
	}
	switch p {
	case pageMoves:
		for _, v := range m.fleet.Moves {
			out = append(out, moveRow(v))
		}
	case pageClusters:
		out = m.clusterRows()
	case pageWaves:
		for _, w := range m.fleet.Waves {
			out = append(out, topWaveRow(w))
		}
	case pageFleet:
		for _, i := range m.fleet.Fleet {
			r := topRow{key: i.ID, cells: []string{printable(i.Name), i.Kind, i.State, perSecond(i.Requests), some(i.Held), some(i.Pending), some(i.Unresolved), i.Error}}
			switch {
			case i.State == "vanished":
				r.mood = moodBad
			case i.Unresolved > 0 || i.Error != "" || i.State == "closing":
				r.mood = moodWarn
			}
			out = append(out, r)
		}
	case pageEvents:
		for n, e := range m.events() {
			r := topRow{key: strconv.Itoa(n), cells: []string{e.At.Local().Format(time.TimeOnly), e.Text}}
			if e.Bad {
				r.mood = moodBad
			}
			out = append(out, r)
		}
	}
	if m.filter == "" {
		return out
	}
	want := strings.ToLower(m.filter)
	return slices.DeleteFunc(out, func(r topRow) bool {
		return !strings.Contains(strings.ToLower(r.match+" "+strings.Join(r.cells, " ")), want)
	})
}

func moveRow(v control.Move) topRow {
	p := v.Progress
	r := topRow{key: v.ID, match: v.ID + " " + v.Wave + " " + v.From.String() + " " + v.To.String()}
	stage, done, rate, lag, pause, note := string(v.Stage), "", "", "", "", p.Note
	switch {
	case p.Step != "" && p.TotalBytes > 0:
		done = percent(p.Bytes, p.TotalBytes)
	case p.Total > 0:
		done = percent(p.Docs, p.Total)
	}
	if v.Stage == control.StageCopying && p.Rate > 0 {
		rate = count(int64(p.Rate)) + "/s"
	}
	if p.Dirty > 0 || p.Rounds > 0 {
		lag = count(int64(p.Dirty)) + " ids"
	}
	if p.PredictedPause > 0 {
		pause = "~" + p.PredictedPause.Round(time.Millisecond).String()
	}
	if len(p.Laggards) > 0 {
		note = "waiting for " + p.Laggards[0].String()
		if n := len(p.Laggards); n > 1 {
			note += fmt.Sprintf(" and %d more", n-1)
		}
	} else if note == "" && p.SlowedBy != "" {
		note = "slowed by: " + p.SlowedBy
	}
	switch {
	case v.Stage == control.StageFailed || v.Stage == control.StageAborted:
		r.mood, note = moodBad, v.Error
	case v.Settled():
		r.mood = moodGood
		if v.Receipt != nil {
			pause = fmt.Sprintf("%.0fms", v.Receipt.Pause.LongestMS)
		}
	case v.AbortRequested:
		r.mood, stage = moodWarn, "aborting"
	case v.Paused:
		r.mood, stage = moodWarn, "paused"
	case len(p.Laggards) > 0 || v.Stage == control.StageCutover:
		r.mood = moodWarn
	}
	if note == "" {
		note = v.Wave
	}
	r.cells = []string{printable(string(v.Partition)), stage, done, rate, lag, pause, v.From.Cluster, v.To.Cluster, v.ID, shownNote(note)}
	return r
}

// shownNote is a text that may be empty.
func shownNote(s string) string {
	if s == "" {
		return ""
	}
	return printable(s)
}

func (m topModel) clusterRows() (out []topRow) {
	in, from := map[string]int{}, map[string]int{}
	for _, v := range m.fleet.Moves {
		if !v.Settled() {
			in[v.To.Cluster]++
			from[v.From.Cluster]++
		}
	}
	for _, c := range m.fleet.Clusters {
		mean := ""
		if c.Latency > 0 {
			mean = c.Latency.Round(100 * time.Microsecond).String()
		}
		r := topRow{key: c.Name, cells: []string{c.Name, count(int64(c.Tenants)), some(in[c.Name]), some(from[c.Name]), perSecond(c.Requests), "", mean}}
		if c.Failed > 0 {
			r.mood, r.cells[5] = moodBad, perSecond(c.Failed)
		}
		out = append(out, r)
	}
	return out
}

func topWaveRow(w topWave) topRow {
	eta := ""
	if w.ETA > 0 {
		eta = clock(w.ETA)
	}
	r := topRow{key: w.ID, cells: []string{w.ID, string(w.State), fmt.Sprintf("%d/%d", w.Counts[control.ItemDone], w.Items), some(w.Counts[control.ItemMoving]), some(w.Counts[control.ItemFailed]), eta, shownNote(w.Plan), shownNote(w.Reason)}}
	switch {
	case w.State == control.WaveStopped || w.Counts[control.ItemFailed] > 0:
		r.mood = moodBad
	case w.State == control.WaveDone:
		r.mood = moodGood
	case w.State != control.WaveRunning:
		r.mood = moodWarn
	}
	return r
}

func percent(n, of int64) string { return fmt.Sprintf("%d%%", 100*min(n, of)/of) }

func some(n int) string {
	if n == 0 {
		return ""
	}
	return count(int64(n))
}

func perSecond(v float64) string {
	if v < 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", v)
}

// View implements tea.Model.
func (m topModel) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	return v
}

// lines are the whole screen, none longer than it is wide.
func (m topModel) lines() []string {
	head, foot := m.head(), m.foot()
	n := max(0, m.height-1-len(foot))
	var body []string
	switch {
	case m.page == pageHelp:
		body = m.window(topHelp)
	case m.page == pageMove:
		body = m.window(m.moveLines())
	case m.fleet == nil:
		body = []string{"", "  reading the fleet"}
	case m.page == pageOverview:
		body = m.overview(n)
	default:
		body = m.list(m.page, n)
	}
	for len(body) < n {
		body = append(body, "")
	}
	out := append(append([]string{head}, body[:n]...), foot...)
	for i := range out {
		out[i] = ansi.Truncate(out[i], m.width, "")
	}
	return out[:min(len(out), m.height)]
}

func (m topModel) head() string {
	left, right := " sluice", ""
	if m.fleet != nil {
		left += "  " + m.fleet.Store
		moving := 0
		for _, v := range m.fleet.Moves {
			if !v.Settled() {
				moving++
			}
		}
		right = fmt.Sprintf("%s tenants, %d moving  %s ", count(int64(m.fleet.Tenants)), moving, m.fleet.At.Local().Format(time.TimeOnly))
	}
	room := m.width - ansi.StringWidth(right)
	left = ansi.Truncate(left, max(0, room-1), "")
	return m.paint(moodBar, left+strings.Repeat(" ", max(0, room-ansi.StringWidth(left)))+right)
}

// foot are the last lines: a question, or what there is to say, and the keys.
func (m topModel) foot() (out []string) {
	if m.ask != nil {
		return []string{
			m.paint(moodTitle, strings.ToUpper(m.ask.verb[:1])+m.ask.verb[1:]+" the move of "+printable(m.ask.tenant)+"?"),
			m.ask.command(),
			"y: do it   any other key: do nothing",
		}
	}
	if m.failed != nil {
		out = append(out, m.paint(moodBad, fmt.Sprintf("no answer for %s: %s", m.now().Sub(m.failedAt).Round(time.Second), oneLine(m.failed.Error()))))
	} else if m.fleet != nil && len(m.fleet.Short) > 0 {
		out = append(out, m.paint(moodWarn, oneLine(strings.Join(m.fleet.Short, "; "))))
	}
	switch {
	case m.say != "" && m.bad:
		out = append(out, m.paint(moodBad, oneLine(m.say)))
	case m.say != "":
		out = append(out, m.paint(moodGood, oneLine(m.say)))
	}
	if m.typing {
		return append(out, "filter: "+m.filter+"_   enter: keep it   esc: none")
	}
	keys := "q quit  ? help  enter in  / filter  p pause  a abort  b rollback  1-6 pages"
	switch {
	case m.page == pageMove:
		keys = "q quit  esc back  p pause  a abort  b rollback  up/down scroll"
	case m.page == pageHelp:
		keys = "q quit  esc back  up/down scroll"
	case m.filter != "":
		keys = "filter: " + printable(m.filter) + "  esc none  q quit  ? help  enter in  p pause  a abort"
	}
	return append(out, keys)
}

func oneLine(s string) string { return printable(strings.Join(strings.Fields(s), " ")) }

// overview is a part of every list. Each has its title and a row if there is room, moves
// get more before the others, and events what is left.
func (m topModel) overview(n int) (out []string) {
	pages := []topPage{pageClusters, pageMoves, pageWaves, pageFleet, pageEvents}
	need, got := map[topPage]int{}, map[topPage]int{}
	for _, p := range pages {
		if rows := len(m.rows(p)); rows > 0 || p == pageMoves {
			need[p] = 1 + max(1, rows)
		}
	}
	for _, p := range []topPage{pageMoves, pageClusters, pageFleet, pageEvents, pageWaves} {
		least := 2
		if p == pageMoves { // on a small screen they are what is looked at
			least = min(need[p], 4)
		}
		if need[p] > 0 && n >= least {
			got[p], n = least, n-least
		}
	}
	for _, p := range []topPage{pageMoves, pageClusters, pageWaves, pageFleet, pageEvents} {
		if got[p] == 0 {
			continue
		}
		most := n
		if p != pageEvents {
			most = (n + 1) / 2 // something is left for those that follow
		}
		more := max(0, min(need[p]-got[p], most))
		got[p], n = got[p]+more, n-more
	}
	if more := min(n, need[pageMoves]-got[pageMoves]); more > 0 && got[pageMoves] > 0 {
		got[pageMoves] += more
	}
	for _, p := range pages {
		if got[p] > 0 {
			out = append(out, m.list(p, got[p])...)
		}
	}
	return out
}

// list is a list in n lines: its header, and the rows around the selected one.
func (m topModel) list(p topPage, n int) []string {
	rows := m.rows(p)
	cursor := -1
	if p == m.listed() {
		cursor = m.at(p, rows)
	}
	title, lines := m.grid(p, rows, cursor)
	if n <= 1 {
		return []string{title}[:max(0, n)]
	}
	if len(rows) == 0 {
		text := "  none"
		if m.filter != "" {
			text = "  none that has " + printable(m.filter)
		}
		return []string{title, text}
	}
	from := max(0, min(cursor-(n-1)/2, len(lines)-(n-1)))
	return append([]string{title}, lines[from:min(len(lines), from+n-1)]...)
}

// grid lays rows out in columns, as many as there is room for. The title says how many
// rows there are.
func (m topModel) grid(p topPage, rows []topRow, cursor int) (string, []string) {
	columns := slices.Clone(topColumns[p])
	columns[0].title = fmt.Sprintf("%s %d", columns[0].title, len(rows))
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = ansi.StringWidth(c.title)
		empty := true
		for _, r := range rows {
			widths[i] = max(widths[i], ansi.StringWidth(r.cells[i]))
			empty = empty && r.cells[i] == ""
		}
		if empty && len(rows) > 0 && c.rank > 0 {
			widths[i] = 0
		}
	}
	const gap = 2
	total := func() (n int) {
		for _, w := range widths {
			if w > 0 {
				n += w + gap
			}
		}
		return n
	}
	for total() > m.width { // the last column may be cut instead
		worst := 0
		for i, c := range columns {
			if widths[i] > 0 && c.rank > columns[worst].rank {
				worst = i
			}
		}
		if least := 14; columns[worst].rank <= 1 && widths[0] > least { // a name may be cut
			widths[0] = max(least, widths[0]-(total()-m.width))
			continue
		}
		if columns[worst].rank == 0 {
			break
		}
		if room := m.width - total() + widths[worst]; worst == len(columns)-1 && room >= 12 {
			widths[worst] = room
			break
		}
		widths[worst] = 0
	}
	if over := total() - m.width; over > 0 && p != pageEvents {
		widths[0] = max(6, widths[0]-over)
	}
	line := func(mark string, cells []string) string {
		b := mark
		for i, c := range columns {
			if widths[i] == 0 {
				continue
			}
			cell := ansi.Truncate(cells[i], widths[i], "")
			fill := strings.Repeat(" ", max(0, widths[i]-ansi.StringWidth(cell)))
			if c.right {
				cell, fill = fill+cell, ""
			}
			b += cell + fill + strings.Repeat(" ", gap)
		}
		return strings.TrimRight(b, " ")
	}
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	title := m.paint(moodTitle, line("", titles))
	var out []string
	for i, r := range rows {
		text := line("", r.cells)
		if i == cursor {
			text = m.paint(moodBar, text+strings.Repeat(" ", max(0, m.width-ansi.StringWidth(text))))
		} else {
			text = m.paint(r.mood, text)
		}
		out = append(out, text)
	}
	return title, out
}

// window is a text from where it is scrolled to.
func (m topModel) window(lines []string) []string { return lines[min(m.scroll, len(lines)):] }

// scrollable is how far the text of the page can be scrolled.
func (m topModel) scrollable() int {
	text := topHelp
	if m.page == pageMove {
		text = m.moveLines()
	}
	return max(0, len(text)-(m.height-1-len(m.foot())))
}

// moveLines are one move: as sluice moves watch shows it while it is under way, how its
// stages share the time, and what sluice moves show says of it.
func (m topModel) moveLines() (out []string) {
	if m.shown == nil {
		return []string{"", "  reading move " + m.id}
	}
	v := m.shown
	if !v.Settled() {
		out = append(frame(v.Move, m.width), "")
	}
	if b := stageBar(v.Timeline, m.now(), m.width); b != "" {
		out = append(out, b, "")
	}
	var text bytes.Buffer
	_ = writeMove(&text, v.Move, rollbackRow(*v)) // into memory
	for line := range strings.Lines(text.String()) {
		out = append(out, strings.Split(ansi.Wrap(strings.TrimRight(line, "\n"), m.width, ""), "\n")...)
	}
	return out
}

// stageBar draws the time up to the flip, a letter for each stage.
func stageBar(timeline []control.StageTime, now time.Time, width int) string {
	letters := map[control.Stage]string{control.StagePreparing: "p", control.StageCopying: "c", control.StageCatchingUp: "u", control.StageVerifying: "v", control.StageCutover: "X", control.StageAborting: "a"}
	var total time.Duration
	var parts []control.StageTime
	for _, t := range timeline {
		if letters[t.Stage] == "" {
			continue
		}
		if t.Duration == 0 {
			t.Duration = max(1, now.Sub(t.Started))
		}
		total += t.Duration
		parts = append(parts, t)
	}
	if len(parts) == 0 {
		return ""
	}
	legend := "  p preparing c copying u catching up v verifying X cutover"
	room := min(60, width-2)
	if width < 60+len(legend) {
		legend = ""
	}
	b, spent := "", time.Duration(0)
	for i, t := range parts { // at least a letter for each, so a long move is drawn to scale
		spent += t.Duration
		end := max(len(b)+1, int(float64(room)*float64(spent)/float64(total)))
		end = min(end, room-(len(parts)-1-i))
		b += strings.Repeat(letters[t.Stage], max(0, end-len(b)))
	}
	return "[" + b + "]" + legend
}

var topHelp = strings.Split(`
up, down, pgup, pgdn   select, or scroll
enter                  into a move; into the moves of a cluster or a wave
esc                    back, and no filter
1 2 3 4 5 6, tab       overview, moves, clusters, waves, processes, events
/                      show only rows with a text
p                      pause the selected move, or let it go on
a                      abort it: the tenant stays where it was
b                      roll it back: to the old copy that it has left
r                      look at once
q, ctrl-c              quit; moves go on

Changes are asked for first, with the command that does the same.
Green has ended well, yellow waits or was told to, red has failed.`, "\n")[1:]

package main

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sluiceproxy/sluice/control"
)

// topSource is where the live view gets what it shows, and what it asks for changes.
type topSource interface {
	look(context.Context) (topFleet, error)
	move(ctx context.Context, id string) (control.MoveView, error)
	// act asks for what one of topActions does.
	act(ctx context.Context, verb, id string) error
}

// topPage is one page of the live view.
type topPage int

const (
	pageOverview topPage = iota
	pageMoves
	pageClusters
	pageWaves
	pageFleet
	pageEvents
	pageMove // one move; reached from a list
	pageHelp
)

// topAction is a change that waits to be confirmed.
type topAction struct {
	verb, id, tenant string
}

// command is what does the same on the command line.
func (a topAction) command() string { return "sluice moves " + a.verb + " " + a.id }

// topModel is the state of the live view. It is a value: an update returns another one.
// What the store is asked, commands do, one look at a time.
type topModel struct {
	ctx    context.Context
	source topSource
	now    func() time.Time
	color  bool

	width, height int
	page, back    topPage
	fleet         *topFleet // nil: nothing was seen yet
	seen          []topEvent
	failed        error // why the last look failed; what was seen before is still shown
	failedAt      time.Time

	selected map[topPage]string // by the key of a row
	filter   string
	typing   bool // the filter

	id     string // of the move that is shown
	shown  *control.MoveView
	scroll int

	ask *topAction
	say string // what came of the last action
	bad bool   // it was refused, or failed
}

func newTop(ctx context.Context, s topSource, color bool) topModel {
	return topModel{ctx: ctx, source: s, now: time.Now, color: color, width: 80, height: 24, selected: map[topPage]string{}}
}

// What commands answer.
type (
	topLooked struct {
		fleet topFleet
		err   error
		took  time.Duration
	}
	topMoveLooked struct {
		id   string
		view control.MoveView
		err  error
	}
	topActed struct {
		action topAction
		err    error
	}
	topRefreshed struct { // by hand, between two ticks
		fleet topFleet
		err   error
	}
	topTick struct{}
)

const (
	topEvery   = time.Second
	topTime    = 10 * time.Second // for one look
	topKept    = 200              // events
	topPatient = 10               // a look that takes long is followed by a pause so many times as long
)

// Init implements tea.Model.
func (m topModel) Init() tea.Cmd { return m.look() }

// look reads the fleet, and the move that is shown.
func (m topModel) look() tea.Cmd {
	ctx, s := m.ctx, m.source
	fleet := func() tea.Msg {
		bound, cancel := context.WithTimeout(ctx, topTime)
		defer cancel()
		began := time.Now()
		f, err := s.look(bound)
		return topLooked{f, err, time.Since(began)}
	}
	if m.page == pageMove {
		return tea.Batch(fleet, m.lookMove())
	}
	return fleet
}

func (m topModel) lookMove() tea.Cmd {
	ctx, s, id := m.ctx, m.source, m.id
	return func() tea.Msg {
		bound, cancel := context.WithTimeout(ctx, topTime)
		defer cancel()
		v, err := s.move(bound, id)
		return topMoveLooked{id, v, err}
	}
}

func (m topModel) do(a topAction) tea.Cmd {
	ctx, s := m.ctx, m.source
	return func() tea.Msg {
		bound, cancel := context.WithTimeout(ctx, topTime)
		defer cancel()
		return topActed{a, s.act(bound, a.verb, a.id)}
	}
}

// Update implements tea.Model.
func (m topModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case topTick:
		return m, m.look()
	case topLooked:
		m = m.looked(msg)
		return m, tea.Tick(max(topEvery, topPatient*msg.took), func(time.Time) tea.Msg { return topTick{} })
	case topRefreshed:
		m = m.looked(topLooked{fleet: msg.fleet, err: msg.err})
	case topMoveLooked:
		switch {
		case msg.id != m.id: // another one is shown by now
		case msg.err == nil:
			m.shown = &msg.view
		default:
			m.say, m.bad = msg.err.Error(), true
			if m.shown == nil {
				m.page = m.back
			}
		}
	case topActed:
		m.say, m.bad = msg.action.verb+" of move "+msg.action.id+" requested", false
		if msg.err != nil {
			m.say, m.bad = msg.err.Error(), true
		}
		if m.page == pageMove {
			return m, m.lookMove()
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return m, nil
}

// looked takes over what was seen. A look that failed leaves what was seen before.
func (m topModel) looked(l topLooked) topModel {
	if l.err != nil {
		if m.failed == nil {
			m.failedAt = m.now()
		}
		m.failed = l.err
		return m
	}
	m.failed = nil
	if m.fleet != nil {
		m.seen = append(topChanges(*m.fleet, l.fleet), m.seen...)
		m.seen = slices.Clone(m.seen[:min(len(m.seen), topKept)])
	}
	m.fleet = &l.fleet
	return m
}

// key obeys a key.
func (m topModel) key(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	name := k.String()
	if name == "ctrl+c" {
		return m, tea.Quit
	}
	if m.ask != nil {
		a := *m.ask
		m.ask = nil
		if name == "y" {
			return m, m.do(a)
		}
		m.say, m.bad = "nothing was changed", false
		return m, nil
	}
	if m.typing {
		return m.word(k), nil
	}
	m.say = ""
	switch name {
	case "q":
		return m, tea.Quit
	case "ctrl+z":
		return m, tea.Suspend
	case "?":
		if m.page != pageHelp {
			m.back, m.page, m.scroll = m.page, pageHelp, 0
		}
	case "esc", "left", "backspace", "h":
		switch {
		case m.page == pageMove || m.page == pageHelp:
			m.page, m.scroll = m.back, 0
			if m.page == pageMove && m.shown == nil {
				m.page = pageOverview
			}
		case m.filter != "":
			m.filter = ""
		default:
			m.page = pageOverview
		}
	case "tab":
		m.page = (m.page + 1) % (pageEvents + 1)
	case "shift+tab":
		m.page = (m.page + pageEvents) % (pageEvents + 1)
	case "1", "2", "3", "4", "5", "6":
		m.page = topPage(name[0] - '1')
	case "/":
		if m.page < pageMove {
			m.typing = true
		}
	case "r":
		return m, m.refresh()
	case "p", "a", "b":
		m.ask = m.action(name)
		if m.ask == nil {
			m.say, m.bad = "there is no move here that this could be done to", true
		}
	case "enter", "right", "l":
		return m.enter()
	default:
		m = m.walk(name)
	}
	return m, nil
}

// refresh is a look at once. The ticks go on as they were.
func (m topModel) refresh() tea.Cmd {
	ctx, s := m.ctx, m.source
	return func() tea.Msg {
		bound, cancel := context.WithTimeout(ctx, topTime)
		defer cancel()
		f, err := s.look(bound)
		return topRefreshed{f, err}
	}
}

// word changes the filter.
func (m topModel) word(k tea.KeyPressMsg) topModel {
	switch k.String() {
	case "enter":
		m.typing = false
	case "esc":
		m.typing, m.filter = false, ""
	case "backspace":
		if r := []rune(m.filter); len(r) > 0 {
			m.filter = string(r[:len(r)-1])
		}
	default:
		m.filter += strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1
			}
			return r
		}, k.Text)
	}
	return m
}

// listed is the list that a page's selection is in.
func (m topModel) listed() topPage {
	if m.page == pageOverview {
		return pageMoves
	}
	return m.page
}

// walk moves the selection, or scrolls.
func (m topModel) walk(name string) topModel {
	step := map[string]int{"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -max(1, m.height-4), "pgdown": max(1, m.height-4), "home": -1 << 20, "g": -1 << 20, "end": 1 << 20, "G": 1 << 20}[name]
	if step == 0 {
		return m
	}
	if m.page == pageMove || m.page == pageHelp {
		m.scroll = max(0, min(m.scroll+step, m.scrollable()))
		return m
	}
	list := m.listed()
	rows := m.rows(list)
	if len(rows) == 0 {
		return m
	}
	at := max(0, min(m.at(list, rows)+step, len(rows)-1))
	next := map[topPage]string{}
	for p, key := range m.selected {
		next[p] = key
	}
	next[list] = rows[at].key
	m.selected = next
	return m
}

// at is the selected row: by its key, so that it stays when rows come and go.
func (m topModel) at(p topPage, rows []topRow) int {
	return max(0, slices.IndexFunc(rows, func(r topRow) bool { return r.key == m.selected[p] }))
}

// enter goes into what is selected: a move, or the moves of a cluster or a wave.
func (m topModel) enter() (tea.Model, tea.Cmd) {
	list := m.listed()
	rows := m.rows(list)
	if len(rows) == 0 {
		return m, nil
	}
	key := rows[m.at(list, rows)].key
	switch list {
	case pageMoves:
		m.back, m.page, m.id, m.shown, m.scroll = m.page, pageMove, key, nil, 0
		for _, v := range m.fleet.Moves {
			if v.ID == key { // at once, and soon with what only that one tells
				m.shown = &control.MoveView{Move: v}
			}
		}
		return m, m.lookMove()
	case pageClusters, pageWaves:
		m.page, m.filter = pageMoves, key
	}
	return m, nil
}

// action is what a key asks for of the selected move; nil: there is none.
func (m topModel) action(key string) *topAction {
	var v *control.Move
	if m.page == pageMove {
		if m.shown == nil {
			return nil
		}
		v = &m.shown.Move
	} else if m.page == pageOverview || m.page == pageMoves {
		rows := m.rows(pageMoves)
		if len(rows) == 0 {
			return nil
		}
		key := rows[m.at(pageMoves, rows)].key
		i := slices.IndexFunc(m.fleet.Moves, func(x control.Move) bool { return x.ID == key })
		v = &m.fleet.Moves[i]
	} else {
		return nil
	}
	verb := map[string]string{"p": "pause", "a": "abort", "b": "rollback"}[key]
	if key == "p" && v.Paused {
		verb = "resume"
	}
	return &topAction{verb, v.ID, string(v.Partition)}
}

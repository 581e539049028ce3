package chaos

import (
	"context"
	"encoding/json"
	"fmt"
)

// Doctor is what `sluice doctor` said of the fleet.
type Doctor struct {
	Looks    int      `json:"looks"`              // while things went wrong, that reached the table
	Told     []string `json:"told,omitempty"`     // what they found, each once, beside what heals by itself
	Repaired []string `json:"repaired,omitempty"` // after all was well
}

// finding is the part of a finding that is judged.
type finding struct {
	Code, Severity, Detail string
	Subject                struct{ Type, Name string }
	Repairable             bool
}

func (f finding) String() string {
	return fmt.Sprintf("%s %s of %s %s: %s", f.Severity, f.Code, f.Subject.Type, f.Subject.Name, f.Detail)
}

// examination is what the command says for programs.
type examination struct {
	Findings []finding
	Repaired []struct {
		Code, Result, Error string
		Subject             struct{ Type, Name string }
	}
}

// examine runs the doctor. It ends with a code that tells what it has found, and then
// nothing is wrong with the command.
func (r *run) examine(ctx context.Context, flags ...string) (*examination, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	out, err := r.fleet.Run(ctx, nil, append([]string{"doctor", "-o", "json"}, flags...)...)
	var e examination
	if json.Unmarshal(out, &e) != nil { // then it could not look
		if err == nil {
			err = fmt.Errorf("sluice doctor says %q", out)
		}
		return nil, err
	}
	return &e, nil
}

// visits has the doctor look in the middle of each storm and of each calm, until the
// context ends. Whatever goes wrong, all of it is a controller's to heal: what the doctor
// would repair now, it would take from a move.
func (r *run) visits(ctx context.Context) {
	told := map[string]bool{}
	for wait := storm / 2; ; wait = (storm + calm) / 2 {
		if sleep(ctx, wait); ctx.Err() != nil {
			return
		}
		e, err := r.examine(ctx)
		if err != nil { // no table at this moment
			continue
		}
		r.doctor.Looks++
		for _, f := range e.Findings {
			if f.Repairable {
				r.complain("the doctor would repair what is at work: %s", f)
			}
			if key := f.Code + f.Subject.Name; f.Severity != "info" && !told[key] {
				told[key] = true
				r.doctor.Told = append(r.doctor.Told, f.String())
			}
		}
	}
}

// cured looks for what is left when all is well, has it repaired, and is content when
// nothing is found any more.
func (r *run) cured(ctx context.Context) error {
	e, err := r.examine(ctx)
	if err != nil || len(e.Findings) == 0 {
		return err
	}
	repairable := 0
	for _, f := range e.Findings {
		if f.Repairable {
			repairable++
		}
	}
	if repairable > 0 {
		fixed, err := r.examine(ctx, "--fix", "--yes")
		if err != nil {
			return err
		}
		for _, d := range fixed.Repaired {
			r.doctor.Repaired = append(r.doctor.Repaired, fmt.Sprintf("%s of %s %s: %s%s", d.Code, d.Subject.Type, d.Subject.Name, d.Result, d.Error))
		}
	}
	return fmt.Errorf("the doctor finds %v", e.Findings)
}

// visiting starts the visits; the returned function ends them.
func (r *run) visiting(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); r.visits(ctx) }()
	return func() { cancel(); <-done }
}

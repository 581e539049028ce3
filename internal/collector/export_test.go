package collector

import "time"

type Pacer = pace

func NewPace() *Pacer { return &pace{} }

func (p *pace) After(now time.Time, live uint64) int { return p.after(now, live) }

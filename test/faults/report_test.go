package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// report collects what the cells came to.
type report struct {
	mu    sync.Mutex
	began time.Time
	Part  part
	said  map[string]bool
	edits [2]int
	cells int
}

// part is what one run says, as a file: a table is put together from those of
// several.
type part struct {
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Lines   []line    `json:"lines"`
	index   map[string]int
	// again is how many cells ran once more after they had failed.
	again int
}

// line is one fault in one operation.
type line struct {
	Row, Fault string
	Op         operation
	End        outcome
	Cells      map[string]bool // by name without row and fault: whether it failed
	Longest    float64
}

func (l line) key() string { return l.Row + "|" + l.Fault + "|" + string(l.Op) }

func newReport() *report {
	now := time.Now()
	return &report{began: now, Part: part{Began: now, index: map[string]int{}}, said: map[string]bool{}}
}

// line returns the line of a fault and an operation.
func (p *part) line(like line) *line {
	i, ok := p.index[like.key()]
	if !ok {
		i = len(p.Lines)
		p.index[like.key()] = i
		like.Cells = map[string]bool{}
		p.Lines = append(p.Lines, like)
	}
	return &p.Lines[i]
}

func (r *report) add(c *cell, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.Part.line(line{Row: c.fault.row, Fault: c.fault.name, Op: c.op, End: c.fault.on[c.op]})
	at.Cells[task{c.fault, c.op, c.subject, c.at}.cell()] = len(c.problems) > 0
	at.Longest = max(at.Longest, took.Seconds())
	r.edits[0], r.edits[1] = r.edits[0]+c.edits, r.edits[1]+c.refused
	for _, d := range c.diags {
		r.said[d.Summary] = true
	}
	// A run that is ended early has not run for nothing.
	if r.cells++; r.cells%20 == 0 {
		_ = r.save()
	}
}

// save writes this run's part.
func (r *report) save() error {
	r.Part.Seconds = time.Since(r.began).Seconds()
	if *parts == "" {
		return nil
	}
	text, err := json.MarshalIndent(r.Part, "", " ")
	if err == nil {
		err = os.MkdirAll(*parts, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*parts, r.began.UTC().Format("20060102T150405.000000")+".json"), text, 0o600)
	}
	return err
}

// passed reports whether a cell ran and found nothing.
func (p *part) passed(k task) bool {
	i, ok := p.index[line{Row: k.fault.row, Fault: k.fault.name, Op: k.op}.key()]
	if !ok {
		return false
	}
	failed, ran := p.Lines[i].Cells[k.cell()]
	return ran && !failed
}

// note is a cell that is none of TestMatrix.
func (r *report) note(row, fault string, op operation, end outcome, cell string, failed bool, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.Part.line(line{Row: row, Fault: fault, Op: op, End: end})
	at.Cells[cell] = failed
	at.Longest = max(at.Longest, took.Seconds())
}

// finish prints the totals, keeps this run's part, and writes the table of all
// parts, where that was asked for.
func (r *report) finish(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	total := r.Part.total(func(line) bool { return true })
	t.Logf("%s, %d foreign edits (%d more that the server refused), %s", total, r.edits[0], r.edits[1], time.Since(r.began).Round(time.Second))
	if testing.Verbose() {
		var said []string
		for summary := range r.said {
			said = append(said, summary)
		}
		sort.Strings(said)
		t.Logf("what was said:\n  %s", strings.Join(said, "\n  "))
	}
	err := r.save()
	if err == nil && *parts != "" && *results != "" {
		err = writeResults(*parts, *results)
	}
	if err != nil {
		t.Error(err)
	}
}

// tally counts cells.
type tally struct{ cells, failed int }

func (n tally) String() string { return fmt.Sprintf("%d cells, %d failed", n.cells, n.failed) }

func (p *part) total(of func(line) bool) tally {
	var n tally
	for _, l := range p.Lines {
		if !of(l) {
			continue
		}
		for _, failed := range l.Cells {
			n.cells++
			if failed {
				n.failed++
			}
		}
	}
	return n
}

// readParts adds up what the runs in a folder have said; of a cell that ran in
// several, the last counts.
func readParts(dir string) (*part, error) {
	all := &part{index: map[string]int{}}
	if dir == "" {
		return all, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var one part
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all.Seconds += one.Seconds
		for _, l := range one.Lines {
			at := all.line(l)
			at.Longest = max(at.Longest, l.Longest)
			for cell, failed := range l.Cells {
				if at.Cells[cell] {
					all.again++
				}
				at.Cells[cell] = failed
			}
		}
	}
	return all, nil
}

// writeResults writes the table of all parts in a folder.
func writeResults(dir, file string) error {
	all, err := readParts(dir)
	if err != nil {
		return err
	}
	total := all.total(func(line) bool { return true })
	took := (time.Duration(all.Seconds) * time.Second).String()
	again := ""
	if all.again > 0 {
		again = fmt.Sprintf("; %d had failed in an earlier run and ran again", all.again)
	}
	text := fmt.Sprintf(resultsHead, total, took, runtime.GOMAXPROCS(0), again, all.rows(), all.table())
	return os.WriteFile(file, []byte(text), 0o644)
}

// rows is a table of the totals of each row.
func (p *part) rows() string {
	var table strings.Builder
	table.WriteString("| row | cells | failed |\n|---|---|---|\n")
	seen := map[string]bool{}
	for _, l := range p.Lines {
		if seen[l.Row] {
			continue
		}
		seen[l.Row] = true
		n := p.total(func(other line) bool { return other.Row == l.Row })
		fmt.Fprintf(&table, "| %s | %d | %d |\n", l.Row, n.cells, n.failed)
	}
	return table.String()
}

// table has a line for each fault.
func (p *part) table() string {
	var table strings.Builder
	table.WriteString("| row | fault |")
	for _, op := range operations {
		fmt.Fprintf(&table, " %s |", op)
	}
	table.WriteString(" longest |\n|---|---|" + strings.Repeat("---|", len(operations)+1) + "\n")
	seen := map[string]bool{}
	for _, l := range p.Lines {
		if seen[l.Row+l.Fault] {
			continue
		}
		seen[l.Row+l.Fault] = true
		fmt.Fprintf(&table, "| %s | %s |", l.Row, l.Fault)
		longest := 0.0
		for _, op := range operations {
			i, ok := p.index[line{Row: l.Row, Fault: l.Fault, Op: op}.key()]
			if !ok {
				table.WriteString(" |")
				continue
			}
			one := p.Lines[i]
			longest = max(longest, one.Longest)
			n := p.total(func(other line) bool { return other.key() == one.key() })
			fmt.Fprintf(&table, " %s %d", one.End, n.cells)
			if n.failed > 0 {
				fmt.Fprintf(&table, ", **%d failed**", n.failed)
			}
			table.WriteString(" |")
		}
		fmt.Fprintf(&table, " %.0f s |\n", longest)
	}
	return table.String()
}

const resultsHead = `# Results of the fault matrix

%s; %s on %d cores%s. Written by ` + "`make faults`" + `; what the words mean is in doc.go and cell_test.go.

A cell is one fault at one request of one operation of one of six subjects: a policy, a gateway, and the outbound policy
in its four forms. **R**: the operation succeeds. **E**: it ends with an error that names the object, and the state is
kept. **told**: it ends with an error or a warning, or does not need the answer. After each cell the same function checks
that nothing of anybody else was touched, that the state knows what lives, that nothing is less guarded than before or
after, that no secret was said, that one apply without the fault ends in an empty plan, and that a destroy leaves nothing.
The rows of processes and of flags run the real CLI.

%s
%s`

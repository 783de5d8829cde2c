package testbed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"
)

// Mark is a moment in the audit log.
type Mark struct{ offset int64 }

// Request is one request that kube-apiserver got.
type Request struct {
	Verb        string // get, list, watch, create, update, patch, delete, deletecollection
	Resource    string // with its group: "services", "networking.istio.io/gateways"; a path for non-resource URLs
	Subresource string
	Namespace   string
	Name        string
	URI         string
	User        string
	UserAgent   string
	Code        int // status code; of a watch, that of its start
	Time        time.Time
}

// Requests is a list of them, in the order in which they came in.
type Requests []Request

// Mark returns the present moment: everything answered before it is behind it.
func (cp *ControlPlane) Mark() (Mark, error) {
	if cp.External {
		return Mark{}, errExternal
	}
	end, err := lastLineEnd(cp.auditLog)
	if err != nil {
		return Mark{}, fmt.Errorf("audit log: %w", err)
	}
	return Mark{end}, nil
}

// lastLineEnd returns the offset behind the last whole line. A long write becomes
// visible page by page, so the file may end in the middle of a line.
func lastLineEnd(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	block := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		begin := max(0, end-int64(len(block)))
		n, err := f.ReadAt(block[:end-begin], begin)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}

// settleTime bounds the wait for the second line of a request.
const settleTime = 5 * time.Second

// Requests returns every request that came in after since, of all clients: filter
// with By, ByAgent or Where. The count is exact: the API server writes a request's
// first line before it works on it, so whatever was answered before this call is in
// the file. It waits for the second lines, which have the codes (a few milliseconds).
func (cp *ControlPlane) Requests(since Mark) (Requests, error) {
	if cp.External {
		return nil, errExternal
	}
	deadline := time.Now().Add(settleTime)
	until, err := cp.Mark()
	if err != nil {
		return nil, err
	}
	for {
		requests, open, err := readAudit(cp.auditLog, since.offset, until.offset)
		if err != nil || open == 0 || time.Now().After(deadline) {
			return requests, err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// auditEvent is the part of audit.k8s.io/v1 Event that is looked at.
type auditEvent struct {
	AuditID                  string
	Stage                    string
	RequestURI               string
	Verb                     string
	UserAgent                string
	User                     struct{ Username string }
	ImpersonatedUser         *struct{ Username string }
	RequestReceivedTimestamp time.Time
	ResponseStatus           *struct{ Code int }
	ObjectRef                *struct{ APIGroup, Resource, Subresource, Namespace, Name string }
}

// readAudit reads the requests whose first line lies between the offsets, and
// whatever there is about them behind. open is how many have no answer yet.
func readAudit(path string, from, until int64) (_ Requests, open int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, 0, err
	}
	var requests Requests
	answered := map[int]bool{}
	byID := map[string]int{}
	reader := bufio.NewReaderSize(f, 1<<20)
	for offset := from; ; {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // a line that is being written is one of after until
		} else if err != nil {
			return nil, 0, err
		}
		start := offset
		offset += int64(len(line))
		var e auditEvent
		if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil {
			return nil, 0, fmt.Errorf("audit log at %d: %w", start, err)
		}
		i, known := byID[e.AuditID]
		if !known {
			if start >= until || !e.opens() {
				continue
			}
			i = len(requests)
			byID[e.AuditID] = i
			requests = append(requests, e.request())
		}
		if e.Stage != "RequestReceived" {
			answered[i] = true
			if e.ResponseStatus != nil {
				requests[i].Code = e.ResponseStatus.Code
			}
			if e.ObjectRef != nil && requests[i].Name == "" {
				requests[i].Name = e.ObjectRef.Name // known only now where it was generated
			}
			if e.ImpersonatedUser != nil {
				requests[i].User = e.ImpersonatedUser.Username
			}
		}
	}
	return requests, len(requests) - len(answered), nil
}

// opens says whether this is a request's first line. Who fails to authenticate has
// but one, with the answer.
func (e auditEvent) opens() bool {
	return e.Stage == "RequestReceived" || e.ResponseStatus != nil && e.ResponseStatus.Code == http.StatusUnauthorized
}

func (e auditEvent) request() Request {
	r := Request{Verb: e.Verb, URI: e.RequestURI, User: e.User.Username, UserAgent: e.UserAgent, Time: e.RequestReceivedTimestamp}
	if e.ObjectRef == nil || e.ObjectRef.Resource == "" {
		r.Resource, _, _ = strings.Cut(e.RequestURI, "?")
		return r
	}
	r.Resource = e.ObjectRef.Resource
	if e.ObjectRef.APIGroup != "" {
		r.Resource = e.ObjectRef.APIGroup + "/" + r.Resource
	}
	r.Subresource, r.Namespace, r.Name = e.ObjectRef.Subresource, e.ObjectRef.Namespace, e.ObjectRef.Name
	return r
}

// Where keeps the requests for which keep is true.
func (rs Requests) Where(keep func(Request) bool) Requests {
	var kept Requests
	for _, r := range rs {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// By keeps one user's requests ("system:serviceaccount:ns:name", "admin").
func (rs Requests) By(user string) Requests {
	return rs.Where(func(r Request) bool { return r.User == user })
}

// ByAgent keeps the requests whose User-Agent begins with prefix.
func (rs Requests) ByAgent(prefix string) Requests {
	return rs.Where(func(r Request) bool { return strings.HasPrefix(r.UserAgent, prefix) })
}

// Writes keeps what changes something; a dry run does not.
func (rs Requests) Writes() Requests {
	return rs.Where(func(r Request) bool {
		switch r.Verb {
		case "create", "update", "patch", "delete", "deletecollection":
			return !strings.Contains(r.URI, "dryRun=All") && !strings.HasPrefix(r.Resource, "authorization.k8s.io/") &&
				!strings.HasPrefix(r.Resource, "authentication.k8s.io/")
		}
		return false
	})
}

// Count counts by "verb resource" ("patch networking.istio.io/gateways",
// "create serviceaccounts/token"): the form for a comparison in a test.
func (rs Requests) Count() map[string]int {
	counts := map[string]int{}
	for _, r := range rs {
		counts[r.key()]++
	}
	return counts
}

func (r Request) key() string {
	k := r.Verb + " " + r.Resource
	if r.Subresource != "" {
		k += "/" + r.Subresource
	}
	return k
}

// String is a table of Count, sorted: for logs and failing tests.
func (rs Requests) String() string {
	counts := rs.Count()
	keys := make([]string, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		_, _ = fmt.Fprintf(&b, "%6d %s\n", counts[k], k)
	}
	_, _ = fmt.Fprintf(&b, "%6d in all\n", len(rs))
	return b.String()
}

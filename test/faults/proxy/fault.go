package proxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fault is something that goes wrong with one request. The zero value is none.
type Fault struct {
	// Name is how it is called in the journal.
	Name string
	act  func(*exchange)
}

// Reset closes the client's connection, with all that is under way on it. The
// request does not reach the server.
var Reset = Fault{"reset", (*exchange).reset}

// Abort ends the one request, as a stream of HTTP/2, and leaves the connection.
var Abort = Fault{"abort", func(*exchange) { panic(http.ErrAbortHandler) }}

// Hang never answers.
var Hang = Fault{"hang", (*exchange).hang}

// GoAway answers, and asks the client to use another connection: a server that
// is about to restart, or one that balances its load (--goaway-chance).
var GoAway = Fault{"GOAWAY", func(x *exchange) {
	x.w.Header().Set("Connection", "close")
	x.pass()
}}

// Lost lets the request happen and loses the answer: then says Reset, Abort,
// Hang or Status what the client meets instead.
func Lost(then Fault) Fault {
	return Fault{then.Name + " after the write", func(x *exchange) {
		_, _ = x.send()
		then.act(x)
	}}
}

// Before lets something happen just before the request goes on. The request
// that do is handed has its body.
func Before(name string, do func(Request)) Fault {
	return Fault{name, func(x *exchange) {
		do(x.withBody())
		x.pass()
	}}
}

// Instead lets something happen, and then another fault.
func Instead(name string, do func(Request), then Fault) Fault {
	return Fault{name, func(x *exchange) {
		do(x.withBody())
		then.act(x)
	}}
}

// Status answers with a Status as the API server writes it. retryAfter 0 leaves
// the header out. causes may be nil.
func Status(code int, reason metav1.StatusReason, message string, retryAfter time.Duration, causes ...metav1.StatusCause) Fault {
	return Fault{strconv.Itoa(code), func(x *exchange) {
		header := http.Header{"Content-Type": {"application/json"}}
		details := &metav1.StatusDetails{
			Name: x.request.Name, Group: x.request.Group, Kind: x.request.Resource, Causes: causes,
		}
		if retryAfter > 0 {
			seconds := int(retryAfter / time.Second)
			header.Set("Retry-After", strconv.Itoa(seconds))
			details.RetryAfterSeconds = int32(seconds)
		}
		body, err := json.Marshal(metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
			Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message, Details: details,
		})
		if err != nil {
			panic(err)
		}
		x.say(code, header, body)
	}}
}

// Reply answers with any text.
func Reply(code int, contentType, body string) Fault {
	return Fault{fmt.Sprintf("%d %s", code, contentType), func(x *exchange) {
		x.say(code, http.Header{"Content-Type": {contentType}}, []byte(body))
	}}
}

// Truncate lets the request happen and answers with half of the answer, as if
// that were all.
var Truncate = Fault{"truncated", func(x *exchange) {
	a, err := x.send()
	if err != nil {
		x.reset()
	}
	x.say(a.code, a.header, a.body[:len(a.body)/2])
}}

// Cut lets the request happen and breaks off in the middle of the answer.
var Cut = Fault{"cut", func(x *exchange) {
	a, err := x.send()
	if err != nil {
		x.reset()
	}
	for name, values := range a.header {
		x.w.Header()[name] = values
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	x.w.WriteHeader(a.code)
	_, _ = x.w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(x.w).Flush()
	panic(http.ErrAbortHandler)
}}

// Huge answers 200 with so many bytes of JSON that begins as an object does.
func Huge(size int) Fault {
	return Fault{"huge", func(x *exchange) {
		x.w.Header().Set("Content-Type", "application/json")
		x.w.WriteHeader(http.StatusOK)
		_, _ = x.w.Write([]byte(`{"kind":"`))
		block := make([]byte, 64<<10)
		for i := range block {
			block[i] = 'x'
		}
		for sent := 0; sent < size; sent += len(block) {
			if _, err := x.w.Write(block); err != nil {
				return
			}
		}
	}}
}

// Killed lets the request happen; then do ends the client, who hears nothing.
func Killed(do func(Request)) Fault {
	return Fault{"killed after the write", func(x *exchange) {
		request := x.withBody()
		_, _ = x.send()
		do(request)
		x.reset()
	}}
}

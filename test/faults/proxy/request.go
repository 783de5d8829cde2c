package proxy

import (
	"net/http"
	"strings"
)

// Request is one request of the Kubernetes API.
type Request struct {
	// Verb is get, list, watch, create, apply, patch, update or delete; empty
	// for what is no request of a resource.
	Verb string
	// Group, Resource, Subresource, Namespace and Name are those of the path.
	Group, Resource, Subresource, Namespace, Name string
	// Path is the path as it came.
	Path string
	// Body is set only where a fault says so.
	Body []byte
	// Code is what was answered; 0 while nothing is.
	Code int
	// Fault is the name of the fault that it met.
	Fault string
}

// String returns "verb resource namespace/name".
func (r Request) String() string {
	if r.Verb == "" {
		return r.Path
	}
	text := r.Verb + " " + r.Resource
	if r.Group != "" {
		text += "." + r.Group
	}
	return text + " " + strings.TrimSuffix(r.Namespace+"/"+r.Name, "/")
}

// IsWrite reports whether the request changes an object.
func (r Request) IsWrite() bool {
	switch r.Verb {
	case "create", "apply", "patch", "update", "delete":
		return true
	}
	return false
}

// All, Writes and Reads are conditions of a Rule.
var (
	All    = func(r Request) bool { return r.Verb != "" }
	Writes = Request.IsWrite
	Reads  = func(r Request) bool { return r.Verb != "" && !r.IsWrite() }
)

// Verb is the condition that a request has one of these verbs.
func Verb(verbs ...string) func(Request) bool {
	return func(r Request) bool {
		for _, verb := range verbs {
			if r.Verb == verb {
				return true
			}
		}
		return false
	}
}

// Of narrows a condition to a resource, such as "gateways".
func Of(resource string, when func(Request) bool) func(Request) bool {
	return func(r Request) bool { return r.Resource == resource && when(r) }
}

// Rule says which requests meet a fault: those that When wants, beginning
// with number Skip of them, Times of them (0: all from there on).
type Rule struct {
	When  func(Request) bool
	Skip  int
	Times int
	Fault Fault
}

// armed is a rule that counts.
type armed struct {
	Rule
	met int
}

func (a *armed) wants(r Request) bool {
	if !a.When(r) {
		return false
	}
	n := a.met
	a.met++
	return n >= a.Skip && (a.Times == 0 || n < a.Skip+a.Times)
}

// describe reads the path of a request as the API server does
// (apiserver pkg/endpoints/request RequestInfoFactory).
func describe(r *http.Request) Request {
	request := Request{Path: r.URL.Path}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		request.Group, parts = parts[1], parts[3:]
	default:
		return request
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		request.Namespace, parts = parts[1], parts[2:]
	}
	request.Resource = parts[0]
	if len(parts) > 1 {
		request.Name = parts[1]
	}
	if len(parts) > 2 {
		request.Subresource = parts[2]
	}
	request.Verb = verb(r, request.Name != "")
	return request
}

func verb(r *http.Request, named bool) string {
	switch r.Method {
	case http.MethodGet:
		switch {
		case r.URL.Query().Get("watch") != "" && r.URL.Query().Get("watch") != "false":
			return "watch"
		case named:
			return "get"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodDelete:
		return "delete"
	case http.MethodPatch:
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/apply-patch") {
			return "apply"
		}
		return "patch"
	}
	return strings.ToLower(r.Method)
}

// Version returns the API version in the path.
func (r Request) Version() string {
	parts := strings.Split(strings.Trim(r.Path, "/"), "/")
	if r.Group == "" {
		return parts[1]
	}
	return parts[2]
}

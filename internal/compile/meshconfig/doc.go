// Package meshconfig reads and edits the text of Istio's mesh config, the key
// `mesh` of ConfigMap istio or istio-<revision>.
//
// The text is somebody else's: a chart rendered it, people put comments into
// it. So an edit is a splice. The YAML nodes say where the one field
// outboundTrafficPolicy.mode stands, its bytes are replaced, and every other
// byte stays (splice.go, position.go). What comes out is read again before it
// is returned: but for that field it must say what it said before, as istiod
// reads it, or the edit is refused. Only to take a mode away there is a second
// way, null.
//
// Reading follows istiod (pilot/pkg/bootstrap/mesh.go, pkg/config/mesh): the
// first YAML document, later keys over earlier ones, a field by its JSON name
// or its proto name, null as absent, and a message without a mode as
// REGISTRY_ONLY, the zero value. Where istiod has a second, shared mesh config
// the order is Istio's defaults < shared < primary (config.go).
//
// It is pure: text in, text out.
package meshconfig

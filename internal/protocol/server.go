package protocol

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Server is a provider server that lets a configuration have unknown objects
// in lists and maps of nested attributes, as in
//
//	from = [module.shop.source]
//
// which is unknown throughout `terraform validate`, and in a plan until the
// module is applied. terraform-plugin-framework (1.19) walks into such an
// element and finds each required attribute of it missing
// (internal/fwserver, AttributeValidateNestedAttributes: only the single
// nesting mode stops at an unknown object). To it, this server shows an object
// whose attributes are unknown: nothing else is known of the element either.
type Server struct {
	served

	provider provider.Provider
	typeName string
	// steady are the resources that are asked before the framework is.
	steady atomic.Pointer[map[string]Steady]
	// run is what StopProvider ends.
	run atomic.Pointer[run]

	// What follows is set by once: the types of the resources' values and
	// identities, and the versions of their schemas.
	once       sync.Once
	types      map[string]tftypes.Type
	identities map[string]tftypes.Type
	versions   map[string]int64
	failed     error
}

// served are the calls that terraform-plugin-go looks for in a server of the
// framework: those that are optional have to be passed on by name, as long as
// terraform-plugin-go has interfaces of their own for them.
type served interface {
	tfprotov6.ProviderServerWithListResource //nolint:staticcheck // deprecated in favour of what is not there yet
	tfprotov6.ProviderServerWithActions      //nolint:staticcheck // as above
	tfprotov6.ProviderServerWithStateStores  //nolint:staticcheck // as above
}

// New returns a function that makes the server of a provider, in the form that
// terraform-plugin-testing takes.
func New(p provider.Provider) func() (tfprotov6.ProviderServer, error) {
	framework := providerserver.NewProtocol6(p)
	return func() (tfprotov6.ProviderServer, error) {
		inner, ok := framework().(served)
		if !ok {
			return nil, errors.New("protocol: terraform-plugin-framework no longer serves all that it did")
		}
		var metadata provider.MetadataResponse
		p.Metadata(context.Background(), provider.MetadataRequest{}, &metadata)
		s := &Server{served: inner, provider: p, typeName: metadata.TypeName}
		s.run.Store(newRun())
		return s, nil
	}
}

// Serve serves a provider until Terraform is done with it.
func Serve(address string, p provider.Provider, debug bool) error {
	server, err := New(p)()
	if err != nil {
		return err
	}
	var options []tf6server.ServeOpt
	if debug {
		options = append(options, tf6server.WithManagedDebug())
	}
	return tf6server.Serve(address, func() tfprotov6.ProviderServer { return server }, options...)
}

// ValidateResourceConfig implements tfprotov6.ResourceServer.
func (s *Server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	typ, err := s.typeOf(ctx, req.TypeName)
	if err != nil || typ == nil || req.Config == nil {
		return s.served.ValidateResourceConfig(ctx, req)
	}
	config, err := req.Config.Unmarshal(typ)
	if err != nil {
		return s.served.ValidateResourceConfig(ctx, req)
	}
	if config.IsFullyKnown() {
		if r, ok := s.steadyOf(req.TypeName); ok && r.ValidatesClean(ctx, config) {
			return &tfprotov6.ValidateResourceConfigResponse{}, nil
		}
		return s.served.ValidateResourceConfig(ctx, req)
	}
	expanded, err := tftypes.Transform(config, openElement)
	if err != nil {
		return nil, err
	}
	encoded, err := tfprotov6.NewDynamicValue(typ, expanded)
	if err != nil {
		return nil, err
	}
	opened := *req
	opened.Config = &encoded
	return s.served.ValidateResourceConfig(ctx, &opened)
}

// openElement turns an unknown object in a list or map into an object of
// unknown attributes.
func openElement(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
	object, isObject := value.Type().(tftypes.Object)
	if !isObject || value.IsKnown() || !isElement(at) {
		return value, nil
	}
	attributes := make(map[string]tftypes.Value, len(object.AttributeTypes))
	for name, typ := range object.AttributeTypes {
		attributes[name] = tftypes.NewValue(typ, tftypes.UnknownValue)
	}
	return tftypes.NewValue(object, attributes), nil
}

func isElement(at *tftypes.AttributePath) bool {
	switch at.LastStep().(type) {
	case tftypes.ElementKeyInt, tftypes.ElementKeyString:
		return true
	}
	return false
}

// typeOf returns the type of a resource's configuration, nil for a resource
// that the provider does not have.
func (s *Server) typeOf(ctx context.Context, resource string) (tftypes.Type, error) {
	s.once.Do(func() { s.failed = s.describe(context.WithoutCancel(ctx)) })
	return s.types[resource], s.failed
}

func (s *Server) describe(ctx context.Context) error {
	schemas, err := s.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return err
	}
	identities, err := s.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return err
	}
	s.types, s.versions, s.identities = map[string]tftypes.Type{}, map[string]int64{}, map[string]tftypes.Type{}
	for name, schema := range schemas.ResourceSchemas {
		s.types[name], s.versions[name] = schema.ValueType(), schema.Version
	}
	for name, schema := range identities.IdentitySchemas {
		s.identities[name] = schema.ValueType()
	}
	return nil
}

package convert

import (
	"reflect"
	"strings"
)

// mirror reads a field of the Kubernetes API into the struct of the intent
// that has the same shape, with the names of its json tags in camel case.
func mirror(f field, target any) { mirrorInto(f, reflect.ValueOf(target).Elem()) }

func mirrorInto(f field, target reflect.Value) {
	if !f.there() {
		return
	}
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		mirrorInto(f, target.Elem())
	case reflect.Slice:
		for _, element := range f.list() {
			item := reflect.New(target.Type().Elem()).Elem()
			mirrorInto(element, item)
			target.Set(reflect.Append(target, item))
		}
	case reflect.Struct:
		o := f.object()
		for i := range target.NumField() {
			name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
			mirrorInto(o.take(camelCase(name)), target.Field(i))
		}
		o.done()
	case reflect.Map:
		if labels := f.textMap(); labels != nil {
			target.Set(reflect.ValueOf(labels))
		}
	case reflect.String:
		if text := f.text(); text != nil {
			target.SetString(*text)
		}
	case reflect.Int64:
		if number := f.integer(); number != nil {
			target.SetInt(*number)
		}
	default:
		panic("convert: no such kind of field in the API: " + target.Kind().String())
	}
}

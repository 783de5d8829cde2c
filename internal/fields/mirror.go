package fields

import (
	"reflect"
	"strings"
	"unicode"
)

// Mirror reads a field of the Kubernetes API into the struct of the intent
// that has the same shape, with the names of its json tags in camel case.
func Mirror(f Field, target any) { mirrorInto(f, reflect.ValueOf(target).Elem()) }

func mirrorInto(f Field, target reflect.Value) {
	if !f.There() {
		return
	}
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		mirrorInto(f, target.Elem())
	case reflect.Slice:
		for _, element := range f.List() {
			item := reflect.New(target.Type().Elem()).Elem()
			mirrorInto(element, item)
			target.Set(reflect.Append(target, item))
		}
	case reflect.Struct:
		o := f.Object()
		for i := range target.NumField() {
			name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
			mirrorInto(o.Take(CamelCase(name)), target.Field(i))
		}
		o.Done()
	case reflect.Map:
		if labels := f.TextMap(); labels != nil {
			target.Set(reflect.ValueOf(labels))
		}
	case reflect.String:
		if text := f.Text(); text != nil {
			target.SetString(*text)
		}
	case reflect.Int64:
		if number := f.Integer(); number != nil {
			target.SetInt(*number)
		}
	default:
		panic("fields: no such kind of field in the API: " + target.Kind().String())
	}
}

// CamelCase turns the name of an attribute into that of a field.
func CamelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = string(unicode.ToUpper(rune(word[0]))) + word[1:]
		}
	}
	return strings.Join(words, "")
}

package compile

// Selects reports whether whatever has the labels is selected. Of another
// selector in place of labels: whether whatever that one selects is.
func Selects(selector, labels map[string]string) bool {
	for key, value := range selector {
		if got, ok := labels[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// MayMatch reports whether something can have the labels of both selectors: it
// can unless a key has different values in them.
func MayMatch(a, b map[string]string) bool {
	for key, value := range a {
		if other, ok := b[key]; ok && other != value {
			return false
		}
	}
	return true
}

package msi

import (
	"fmt"
	"strconv"
	"strings"
)

// Column is one column. Its type is written as Windows Installer does: s or l (localizable) and the most characters, 0 for no
// limit; i2 or i4; v0 for binary data. A capital letter allows nothing.
type Column struct {
	Name string
	Type string
	Key  bool
}

// schema has the tables by name: columns in their order, keys with a star.
var schema = map[string]string{
	"ActionText":        "Action*s72 Description L64 Template L128",
	"AppSearch":         "Property*s72 Signature_*s72",
	"Binary":            "Name*s72 Data v0",
	"Component":         "Component*s72 ComponentId S38 Directory_ s72 Attributes i2 Condition S255 KeyPath S72",
	"CreateFolder":      "Directory_*s72 Component_*s72",
	"CustomAction":      "Action*s72 Type i2 Source S72 Target S255 ExtendedType I4",
	"Directory":         "Directory*s72 Directory_Parent S72 DefaultDir l255",
	"DrLocator":         "Signature_*s72 Parent*S72 Path*S255 Depth I2",
	"DuplicateFile":     "FileKey*s72 Component_ s72 File_ s72 DestName L255 DestFolder S72",
	"Error":             "Error*i2 Message L0",
	"Feature":           "Feature*s38 Feature_Parent S38 Title L64 Description L255 Display I2 Level i2 Directory_ S72 Attributes i2",
	"FeatureComponents": "Feature_*s38 Component_*s72",
	"File":              "File*s72 Component_ s72 FileName l255 FileSize i4 Version S72 Language S20 Attributes I2 Sequence i4",
	"Icon":              "Name*s72 Data v0",
	"LaunchCondition":   "Condition*s255 Description l255",
	"Media":             "DiskId*i2 LastSequence i4 DiskPrompt L64 Cabinet S255 VolumeLabel S32 Source S72",
	"MsiFileHash":       "File_*s72 Options i2 HashPart1 i4 HashPart2 i4 HashPart3 i4 HashPart4 i4",
	"MsiServiceConfig":  "MsiServiceConfig*s72 Name s255 Event i2 ConfigType i4 Argument S0 Component_ s72",
	"MsiServiceConfigFailureActions": "MsiServiceConfigFailureActions*s72 Name s255 Event i2 ResetPeriod I4 RebootMessage L255 " +
		"Command L255 Actions S0 DelayActions S0 Component_ s72",
	"Property":       "Property*s72 Value l0",
	"RegLocator":     "Signature_*s72 Root i2 Key s255 Name S255 Type I2",
	"Registry":       "Registry*s72 Root i2 Key l255 Name L255 Value L0 Component_ s72",
	"RemoveFile":     "FileKey*s72 Component_ s72 FileName L255 DirProperty s72 InstallMode i2",
	"ServiceControl": "ServiceControl*s72 Name l255 Event i2 Arguments S255 Wait I2 Component_ s72",
	"ServiceInstall": "ServiceInstall*s72 Name s255 DisplayName L255 ServiceType i4 StartType i4 ErrorControl i4 LoadOrderGroup S255 " +
		"Dependencies S255 StartName S255 Password S255 Arguments S255 Component_ s72 Description L255",
	"Signature":   "Signature*s72 FileName s255 MinVersion S20 MaxVersion S20 MinSize I4 MaxSize I4 MinDate I4 MaxDate I4 Languages S255",
	"Upgrade":     "UpgradeCode*s38 VersionMin*S20 VersionMax*S20 Language*S255 Attributes*i4 Remove S255 ActionProperty s72",
	"_Validation": "Table*s32 Column*s32 Nullable s4 MinValue I4 MaxValue I4 KeyTable S255 KeyColumn I2 Category S32 Set S255 Description S255",

	"AdminExecuteSequence":   sequence,
	"AdminUISequence":        sequence,
	"AdvtExecuteSequence":    sequence,
	"InstallExecuteSequence": sequence,
	"InstallUISequence":      sequence,
}

const sequence = "Action*s72 Condition S255 Sequence I2"

// columns are those of a known table.
func columns(table string) ([]Column, error) {
	text, ok := schema[table]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrTable, table)
	}
	var list []Column
	words := strings.Fields(strings.ReplaceAll(text, "*", " * "))
	for len(words) > 0 {
		c := Column{Name: words[0]}
		if words[1] == "*" {
			c.Key, words = true, words[1:]
		}
		c.Type, words = words[1], words[2:]
		list = append(list, c)
	}
	return list, nil
}

// Bits of a column's type in _Columns.
const (
	bitValid     = 0x0100
	bitLocal     = 0x0200
	bitShort     = 0x0400 // everything but i4 and binary
	bitString    = 0x0800
	bitNullable  = 0x1000
	bitKey       = 0x2000
	typeBinary   = bitString | bitValid
	systemString = bitValid | bitString | bitShort
)

func (c Column) nullable() bool { return strings.Contains("SLIV", c.Type[:1]) }
func (c Column) isBinary() bool { return c.Type == "v0" || c.Type == "V0" }
func (c Column) isText() bool   { return strings.Contains("sSlL", c.Type[:1]) }

// size is the number in the type: characters, or bytes of a number.
func (c Column) size() int { n, _ := strconv.Atoi(c.Type[1:]); return n }

// bits is the type as _Columns has it.
func (c Column) bits() int {
	n := bitValid | c.size()
	switch {
	case c.isBinary():
		n = typeBinary
	case c.isText():
		n |= bitString | bitShort
	case c.size() == 2:
		n |= bitShort
	}
	if c.Type[0] == 'l' || c.Type[0] == 'L' {
		n |= bitLocal
	}
	if c.nullable() {
		n |= bitNullable
	}
	if c.Key {
		n |= bitKey
	}
	return n
}

// columnOf reads a type of _Columns.
func columnOf(name string, n int) Column {
	c := Column{Name: name, Key: n&bitKey != 0}
	letter, size := "i", strconv.Itoa(n&0xFF)
	switch {
	case n&^(bitNullable|bitKey) == typeBinary:
		letter = "v"
	case n&bitLocal != 0:
		letter = "l"
	case n&bitString != 0:
		letter = "s"
	}
	if n&bitNullable != 0 {
		letter = strings.ToUpper(letter)
	}
	c.Type = letter + size
	return c
}

// width is how many bytes a value takes in a table.
func (c Column) width(stringWidth int) int {
	switch {
	case c.isText():
		return stringWidth
	case c.isBinary():
		return 2
	}
	return c.size()
}

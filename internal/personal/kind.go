package personal

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is a kind of personal data; its text is what stands for a field whose name
// cannot be shown.
type kind string

const (
	email    kind = "an e-mail address"
	phone    kind = "a phone number"
	birth    kind = "a date of birth"
	address  kind = "a postal address"
	national kind = "an identity number"
	bank     kind = "a bank account or card number"
	fullName kind = "a full name"
	surname  kind = "a family name"
	given    kind = "a given name"
	handle   kind = "a user name"
	password kind = "a password"
	hash     kind = "a password hash"
	token    kind = "a session id or token"
)

// Names are compared as whole words: "emailAddress" is email, address.
var kinds = []struct {
	kind  kind
	names []string // the words of a name, joined
	is    func(value string) bool
}{
	{email, []string{"email", "mail", "emailaddress", "mailaddress", "useremail", "contactemail", "primaryemail", "workemail", "privateemail"}, isEmail},
	{phone, []string{"phone", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "mobilenumber", "cell", "cellphone", "msisdn", "homephone", "workphone", "contactphone"}, isPhone},
	{birth, []string{"birthdate", "dateofbirth", "dob", "birthday", "birth", "bornon", "borndate"}, isBirth},
	{address, []string{"address", "street", "streetaddress", "postaladdress", "homeaddress", "addressline", "addressline1", "address1", "shippingaddress", "billingaddress", "residence"}, isAddress},
	{national, []string{"ssn", "socialsecuritynumber", "socialsecurity", "nationalid", "nationalidnumber", "passport", "passportnumber", "personalnumber", "personnummer", "driverslicense", "insurancenumber"}, isNational},
	{bank, []string{"iban", "cardnumber", "creditcard", "creditcardnumber", "pan", "bankaccount"}, isBank},
	{fullName, []string{"name", "fullname", "displayname", "realname"}, isFullName},
	{surname, []string{"lastname", "surname", "familyname"}, isName},
	{given, []string{"firstname", "givenname", "forename", "name", "displayname"}, isGiven},
	{handle, []string{"username", "login", "userlogin", "loginname"}, isHandle},
	{hash, []string{"password", "passwordhash", "passwd", "hashedpassword", "passhash", "pwdhash", "encryptedpassword", "passworddigest"}, isHash},
	{password, []string{"password", "passwd", "pwd", "plainpassword"}, isPassword},
	{token, []string{"sessionid", "session", "sid", "sessiontoken", "sessionkey", "accesstoken", "refreshtoken", "authtoken", "apikey", "apitoken", "secret", "token", "resettoken"}, isToken},
}

// kindOf is the kind of a field by its name and by the form of its value.
func kindOf(name []string, value string) (kind, bool) {
	if isPlaceholder(value) {
		return "", false
	}
	whole := strings.Join(name, "")
	for _, one := range kinds {
		if slices.Contains(one.names, whole) && one.is(value) {
			return one.kind, true
		}
	}
	return "", false
}

// The words by which an object, or an address, says what it is about. Those of users
// are people without a public face; the other people may have one.
var (
	userWords = []string{"user", "users", "accounts", "customer", "customers", "profile", "profiles", "me", "member", "members", "patient", "patients", "employee",
		"employees", "student", "students", "clients", "subscribers", "guests", "applicants", "orders"}
	peopleWords  = append([]string{"person", "persons", "people", "contacts"}, userWords...)
	contactWords = []string{"contact", "support", "imprint", "impressum", "legal", "company", "organisation", "organization", "office", "about", "press", "help",
		"hotline", "service", "publisher", "maintainer", "info"}
	ownerWords = []string{"user", "username", "userid", "login", "owner", "uid"}
	// Who is named so gave a name, and how to be reached, to be read; or is written about.
	bylineWords = []string{"author", "authors", "editor", "editors", "writer", "writers", "contributor", "contributors", "maintainers", "committer", "committers",
		"speaker", "speakers", "presenter", "presenters", "organizer", "organizers", "organiser", "organisers", "host", "hosts", "journalist", "journalists",
		"player", "players", "driver", "drivers", "athlete", "athletes", "coach", "coaches", "actor", "actors", "actress", "actresses", "cast", "crew", "director",
		"directors", "artist", "artists", "musician", "musicians", "composer", "composers", "celebrity", "celebrities", "laureate", "laureates", "scientists",
		"senator", "senators", "politician", "politicians", "legislator", "legislators", "representative", "representatives", "deputy", "deputies",
		"councillor", "councillors", "minister", "ministers", "president", "presidents", "mp", "mps", "mep", "meps"}
	// The whole names of what only the holder of a public office has, and what that one is called.
	officeNames = []string{"party", "partyname", "politicalparty", "constituency", "chamber", "caucus", "legislature", "parliament", "publicoffice"}
	officeWords = []string{"senator", "congressman", "congresswoman", "legislator", "councillor", "minister", "parliament", "mp", "mep"}
	// The hosts of those offices, by one of their labels.
	officeHosts = []string{"senate", "congress", "parliament", "parl", "europarl", "bundestag", "landtag", "parlament", "parlement", "assembly", "riksdag", "sejm"}

	businessWords = []string{"opening", "openinghours", "hours", "cuisine", "rating", "stars", "price", "stock", "capacity", "vat", "brand", "industry", "founded",
		"category", "latitude", "longitude", "branch", "store", "homepage", "legalform"}
	businessPlaces = []string{"companies", "organizations", "organisations", "stores", "shops", "restaurants", "hotels", "suppliers", "vendors", "partners", "branches",
		"locations", "venues", "clubs", "schools", "hospitals", "clinics", "offices", "dealers", "team", "staff", "faculty", "merchants",
		"restaurant", "hotel", "shop", "supplier", "vendor", "venue", "school", "hospital", "clinic", "dealer", "merchant"}
)

func says(name, wanted []string) bool {
	return slices.ContainsFunc(name, func(word string) bool { return slices.Contains(wanted, word) }) ||
		slices.Contains(wanted, strings.Join(name, ""))
}

// words are the parts of a name, in lower case.
func words(name string) []string {
	var split strings.Builder
	lower := false
	for _, char := range name[:min(len(name), 200)] {
		if unicode.IsUpper(char) && lower {
			split.WriteByte(' ')
		}
		lower = unicode.IsLower(char) || unicode.IsDigit(char)
		split.WriteRune(char)
	}
	return strings.FieldsFunc(strings.ToLower(split.String()), func(char rune) bool { return !unicode.IsLetter(char) && !unicode.IsDigit(char) })
}

var showable = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

// shown is a field as a message may name it: a name is the target's choice.
func shown(name string, is kind) string {
	if showable.MatchString(name) {
		return name
	}
	return string(is)
}

var masked = regexp.MustCompile(`\*\*|[xX•●]{4,}|\.\.\.|^<.*>$|^\{.*\}$|^\[.*\]$`)

// isPlaceholder reports whether a value stands for one, as in an example.
func isPlaceholder(value string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	return value == "" || len(value) > longest || masked.MatchString(value) ||
		slices.Contains([]string{"null", "none", "string", "n/a", "unknown", "redacted", "hidden", "masked", "guest", "anonymous", "test", "demo", "user", "username", "login", "password", "0", "false", "true", "changeme"}, value)
}

var emailForm = regexp.MustCompile(`^([A-Za-z0-9._%+-]{1,64})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.([A-Za-z]{2,24}))$`)

// roles are the addresses of an organisation.
var roles = []string{"info", "support", "contact", "hello", "admin", "office", "sales", "noreply", "no-reply", "webmaster", "postmaster", "help", "service",
	"team", "press", "privacy", "security", "billing", "jobs", "careers", "mail", "marketing", "feedback", "legal", "abuse", "user", "test", "kontakt"}

func isEmail(value string) bool {
	parts := emailForm.FindStringSubmatch(value)
	if parts == nil || slices.Contains(roles, strings.ToLower(parts[1])) {
		return false
	}
	// RFC 2606 and RFC 6761 keep these for examples.
	host, last := strings.ToLower(parts[2]), strings.ToLower(parts[3])
	reserved := slices.Contains([]string{"test", "example", "invalid", "localhost", "local"}, last)
	return !reserved && !slices.ContainsFunc([]string{"example.com", "example.org", "example.net", "test.com", "domain.com", "email.com"},
		func(known string) bool { return host == known || strings.HasSuffix(host, "."+known) })
}

var (
	phoneForm  = regexp.MustCompile(`^\+?[0-9 ().\-/x]{7,25}$`)
	fiction    = regexp.MustCompile(`555-?01[0-9]{2}$`)
	dateForm   = regexp.MustCompile(`^((?:19|20)[0-9]{2})-[01][0-9]-[0-3][0-9](T.*)?$|^[0-3]?[0-9][./][0-3]?[0-9][./]((?:19|20)[0-9]{2})$`)
	streetForm = regexp.MustCompile(`^\p{L}[\p{L}.'\- ]{2,80} [0-9]{1,5}[A-Za-z]?\b|^[0-9]{1,5}[A-Za-z]?,? \p{L}[\p{L}.'\- ]{2,80}`)
	ssnForm    = regexp.MustCompile(`^[0-9]{3}-[0-9]{2}-[0-9]{4}$`)
	idForm     = regexp.MustCompile(`^[A-Z0-9][A-Z0-9 \-/]{6,22}$`)
	ibanForm   = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
	nameForm   = regexp.MustCompile(`^\p{L}[\p{L}.'\-]+(?: \p{L}[\p{L}.'\-]*){1,4}$`)
	givenForm  = regexp.MustCompile(`^\p{L}[\p{L}'\-]{1,39}$`)
	handleForm = regexp.MustCompile(`^[\p{L}\p{N}._\-]{2,64}$`)
	hashForm   = regexp.MustCompile(`^(?:\$(?:2[abxy]|argon2(?:id|i|d)|[156]|scrypt|pbkdf2)[$\-]|pbkdf2[_:]|scrypt:|bcrypt|\{S?SHA|sha(?:1|256|512)\$|argon2\$).{10,}$|^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$`)
)

// digits are those of a value; "" where they are all alike or count up.
func digits(value string) string {
	only := strings.Map(func(char rune) rune {
		if char < '0' || char > '9' {
			return -1
		}
		return char
	}, value)
	if only == "" || strings.Count(only, only[:1]) == len(only) || strings.Contains("01234567890123456789", only) {
		return ""
	}
	return only
}

func isPhone(value string) bool {
	count := len(digits(value))
	return phoneForm.MatchString(value) && count >= 7 && count <= 15 && !fiction.MatchString(strings.ReplaceAll(value, " ", "-"))
}

func isBirth(value string) bool {
	for _, usual := range []string{"1970-01-01", "1900-01-01", "2000-01-01", "1990-01-01"} {
		if strings.HasPrefix(value, usual) {
			return false
		}
	}
	return dateForm.MatchString(value)
}

func isAddress(value string) bool { return len(value) <= 200 && streetForm.MatchString(value) }

func isNational(value string) bool {
	return ssnForm.MatchString(value) && digits(value) != "" || idForm.MatchString(value) && len(digits(value)) >= 6
}

// isBank is an IBAN whose check digits hold (ISO 13616), or a card number whose last
// one does (ISO 7812), but for those that payment services give for tests.
func isBank(value string) bool {
	value = strings.NewReplacer(" ", "", "-", "").Replace(value)
	if ibanForm.MatchString(value) {
		var number strings.Builder
		for _, char := range value[4:] + value[:4] {
			if char >= 'A' {
				number.WriteString(big.NewInt(int64(char - 'A' + 10)).String())
				continue
			}
			number.WriteRune(char)
		}
		whole, ok := new(big.Int).SetString(number.String(), 10)
		return ok && new(big.Int).Mod(whole, big.NewInt(97)).Int64() == 1
	}
	if len(value) < 13 || len(value) > 19 || digits(value) != value || strings.HasPrefix(value, "41111111") || strings.HasPrefix(value, "42424242") || strings.HasPrefix(value, "55555555") {
		return false
	}
	sum := 0
	for i := range len(value) {
		digit := int(value[len(value)-1-i] - '0')
		if i%2 == 1 {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return sum%10 == 0
}

func isFullName(value string) bool { return len(value) <= 80 && nameForm.MatchString(value) }

func isName(value string) bool { return len(value) >= 2 && len(value) <= 60 && digits(value) == "" }

func isHash(value string) bool { return hashForm.MatchString(value) }

func isPassword(value string) bool {
	return len(value) >= 6 && len(value) <= 128 && !strings.ContainsAny(value, " \t\n") && strings.ContainsAny(value, "0123456789")
}

// holdsOffice reports whether a member is a public office, or belongs to one.
func holdsOffice(name []string, value string) bool {
	switch whole := strings.Join(name, ""); whole {
	case "office", "position", "title", "role", "function":
		return says(words(value), officeWords)
	default:
		return slices.Contains(officeNames, whole) || slices.Contains([]string{"email", "mail", "emailaddress"}, whole) && isOffice(value)
	}
}

// isSmall reports whether a name begins with a small letter, as a thing's does, too.
func isSmall(name string) bool {
	first, _ := utf8.DecodeRuneInString(name)
	return !unicode.IsUpper(first)
}

func isGiven(value string) bool { return givenForm.MatchString(value) }

func isHandle(value string) bool { return handleForm.MatchString(value) }

// isOffice reports whether an e-mail address is that of a public office.
func isOffice(value string) bool {
	_, host, _ := strings.Cut(strings.ToLower(value), "@")
	labels := strings.Split(host, ".")
	return says(labels, officeHosts) || slices.Contains(labels, "house") && slices.Contains(labels, "gov")
}

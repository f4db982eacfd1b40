package tap

// What a client sends (message formats: PostgreSQL documentation, chapter 55.7).
const (
	query        = 'Q'
	functionCall = 'F'
	parse        = 'P'
	bindMessage  = 'B'
	describe     = 'D'
	execute      = 'E'
	closeMessage = 'C'
	syncMessage  = 'S'
	copyDone     = 'c'
	copyFail     = 'f'
)

// What a server answers.
const (
	parseComplete    = '1'
	bindComplete     = '2'
	closeComplete    = '3'
	noData           = 'n'
	rowDescription   = 'T'
	commandComplete  = 'C'
	emptyQuery       = 'I'
	portalSuspended  = 's'
	copyIn           = 'G'
	copyBoth         = 'W'
	errorResponse    = 'E'
	readyForQuery    = 'Z'
	authentication   = 'R'
	negotiateVersion = 'v'
	notice           = 'N'
)

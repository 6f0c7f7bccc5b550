# A job server whose clients are executed: makes of makes, each with its jobs. Run with -j4.

PIECES := $(addprefix piece-,$(shell seq 24))
PARTS := $(addprefix part-,a b c)

all: $(PARTS)

$(PARTS):
	+@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) pieces

pieces: $(PIECES)

$(PIECES):
	@true

.PHONY: all pieces $(PARTS) $(PIECES)

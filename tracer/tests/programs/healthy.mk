# Twelve jobs, each a few processes; two of them are makes, which share the jobserver's pipe.
jobs := a b c d e f g h i j
all: $(jobs) more again
$(jobs):; @sh -c 'for word in one two three; do echo $@ $$word; done' >/dev/null
more again:; +@$(MAKE) -s -f $(firstword $(MAKEFILE_LIST)) $(jobs)

"""Images made on this machine, under the official names, for tests where no registry can be had."""

/** What is done with a finished image: archive, layout, push, and only then the files that tell its digest. */

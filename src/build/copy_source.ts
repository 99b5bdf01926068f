/** Where COPY and ADD take their files from: the context, a finished stage, or an image unpacked for it once. */

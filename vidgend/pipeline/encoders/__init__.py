"""ffmpeg's video encoders behind one small port: which there are, and how speed and quality are said to each."""

"""What runs in the process of a delegate: it imports the plugin's package, makes one object of its `delegate_class`, and
calls it as Image Factory does.

It is told what to do, line by line, over a socket that it inherits, and tells what happens (`_channel`); it knows nothing of
gRPC and holds no right of the job. SIGTERM means: `abort`, and end.
"""

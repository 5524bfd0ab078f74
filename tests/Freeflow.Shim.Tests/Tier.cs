// Whatever runs here runs the library in real programs, and compiles some.
[assembly: AssemblyTrait("Tier", "Loop")]

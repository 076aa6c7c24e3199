/** The integer types of AssemblyScript, so that TypeScript reads assembly/layout.ts as it stands. */
declare type i32 = number;
declare type u32 = number;
declare type u64 = number;

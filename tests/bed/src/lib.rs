//! The real parts that the gate meets in life, on loopback.

# A cloud plugin as Image Factory has them; it imports its own module by a bare name, as old ones do.
from SampleCloud import SampleCloud as delegate_class

# An OS plugin as Image Factory has them: the package exports delegate_class.
from .SampleOS import SampleOS as delegate_class

namespace Freeflow.Router.Certificates;

/// <summary>Something is wrong with a CA or a certificate; the message is one line that says what.</summary>
public sealed class CertificateException(string message) : Exception(message);
